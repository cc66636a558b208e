-- Applies a batch iff the partition's cursor stands at its start: windows, ids, watermark and cursor move
-- together, or nothing does.
-- ARGV 3 partition, 4 start, 5 next (incarnation of the log:offset, as cursors are), 6 high ('' none), 7 '1' if events were read, 8 new version,
--      9 earliest accepted time ('' none), 10 fold bytes, 11 number of id slots, 12 of changes,
--      13 offset and hash of the last record ('' none), 14 records that retention deleted unread, 15 number of limits;
--      then for each limit: the name of a rule's windows, how many there may be; for each slot: its name, its end, number
--      of ids, ids; then for each change: id, head, records, their number ('0': one, with
--      which a new window lapses), judge_at, due time.
-- KEYS, more: the id slots.
-- Reply: MISPLACED; BEHIND; DUPLICATES: positions among all ids;
--        APPLIED: how many changes would have made a window beyond its limit and were left out, their positions,
--        the windows to be judged now, each a header and its pieces.
local partition, start, high, version = ARGV[3], ARGV[4], ARGV[6], ARGV[8]
local fold, slots_n, changes_n = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])

if not same_epoch() then return {'EPOCH'} end
local cursor = redis.call('HGET', CURSORS, partition)
if cursor ~= start then
  return reply('MISPLACED')
end
local settled = tonumber(redis.call('HGET', META, 'watermark'))
if settled and ARGV[9] ~= '' and tonumber(ARGV[9]) < settled then return reply('BEHIND') end

-- Which ids were there before.
local limits_n = tonumber(ARGV[15])
local at, seen, slots = 16 + 2 * limits_n, {}, {}
local position = 0
for s = 1, slots_n do
  local slot = {name = ARGV[at], ends = tonumber(ARGV[at + 1]), n = tonumber(ARGV[at + 2]), from = at + 2}
  in_pieces(slot.n, function(from, to)
    local hits = redis.call('SMISMEMBER', KEYS[MORE_KEYS + s], unpack(ARGV, slot.from + from, slot.from + to))
    for i = 1, #hits do
      position = position + 1
      if hits[i] == 1 then seen[#seen + 1] = position end
    end
  end)
  slots[s] = slot
  at = at + 3 + slot.n
end
if #seen > 0 then
  local r = reply('DUPLICATES')
  for i = 1, #seen do r[6 + i] = seen[i] end
  return r
end
-- Every argument is looked at before the first write: an error midway would keep what came before it.
for c = at, at + 6 * (changes_n - 1), 6 do
  if not (tonumber(ARGV[c + 3]) and tonumber(ARGV[c + 4]) and tonumber(ARGV[c + 5])) then error('apply: bad arguments') end
end

for s = 1, slots_n do
  local slot = slots[s]
  in_pieces(slot.n, function(from, to)
    redis.call('SADD', KEYS[MORE_KEYS + s], unpack(ARGV, slot.from + from, slot.from + to))
  end)
  redis.call('ZADD', ID_SLOTS, int(slot.ends), slot.name)
end

-- How many windows a rule has, by their name: read when one is to be made.
local limits, live, made = {}, {}, {}
for i = 16, 15 + 2 * limits_n, 2 do limits[ARGV[i]] = tonumber(ARGV[i + 1]) end
local function room_for(head)
  local name = windows_name(head)
  live[name] = live[name] or tonumber(redis.call('HGET', STATE, 'keys ' .. name)) or 0
  if limits[name] and live[name] >= limits[name] then return false end
  live[name], made[name] = live[name] + 1, true
  return true
end

local PIECES_MAX = 64
local judge_now, headers, left_out = {}, {}, {}

-- Adds to a window, or makes it; false: there is no room.
local function change(c, header, set)
  local id, records, n, bytes, pieces = ARGV[c], ARGV[c + 2], tonumber(ARGV[c + 3]), #ARGV[c + 2], 0
  local ends = n == 0 and math.ceil(tonumber(ARGV[c + 5]) / 1000) -- the second at which it lapses
  if ends then n = 1 end
  if header then
    local before_n, before_bytes = records_of(header)
    pieces = pieces_of(header)
    if pieces == 0 then
      pieces = 1
      set[#set + 1], set[#set + 2] = id .. '\1', string.sub(header, HEADER_BYTES + 1)
    end
    n, bytes, pieces = before_n + n, before_bytes + bytes, pieces + 1
    set[#set + 1], set[#set + 2] = id .. string.char(pieces), records
    header = header_of(version, n, bytes, pieces)
  elseif room_for(ARGV[c + 1]) then
    local head = ARGV[c + 1]
    local may = ends and ends > 0 and ends < 4294967296
    header = header_of(version, may and ends or n, bytes, may and LAPSES or 0) .. struct.pack('<I2', #head) .. head .. '\0\0\0\0' .. records
  else
    return false
  end
  set[#set + 1], set[#set + 2] = id, header
  if n >= tonumber(ARGV[c + 4]) or bytes >= fold or pieces >= PIECES_MAX then
    judge_now[#judge_now + 1], headers[#headers + 1] = id, header
  end
  return true
end

in_pieces(changes_n, function(from, to)
  local ids, set, due = {}, {}, {}
  for i = from, to do ids[#ids + 1] = ARGV[at + 6 * (i - 1)] end
  local values = redis.call('HMGET', WINDOWS, unpack(ids))
  for i = from, to do
    local c = at + 6 * (i - 1)
    if change(c, values[i - from + 1], set) then
      due[#due + 1], due[#due + 2] = ARGV[c + 5], ARGV[c]
    else
      left_out[#left_out + 1] = i
    end
  end
  if #set > 0 then
    redis.call('HSET', WINDOWS, unpack(set))
    redis.call('ZADD', DUE, 'LT', unpack(due))
  end
end)
for name in pairs(made) do redis.call('HSET', STATE, 'keys ' .. name, live[name]) end
local floor = said()
in_pieces(#judge_now, function(from, to)
  local waiting = {}
  for i = from, to do waiting[#waiting + 1], waiting[#waiting + 2] = floor, judge_now[i] end
  redis.call('ZADD', WAITING, 'NX', unpack(waiting))
end)

redis.call('HSET', CURSORS, partition, ARGV[5])
if high ~= '' then redis.call('HSET', HIGHS, partition, high) end
local now = int(now_ms())
redis.call('HSET', META, 'clock', now)
if ARGV[7] == '1' then redis.call('HSET', ATS, partition, now) end
if ARGV[13] ~= '' then redis.call('HSET', LASTS, partition, ARGV[13]) end
if ARGV[14] ~= '0' then redis.call('HINCRBY', META, 'lost', ARGV[14]) end
local r = reply('APPLIED')
r[7] = #left_out
for i = 1, #left_out do r[7 + i] = left_out[i] end
for i, window in ipairs(windows_of(judge_now, headers)) do r[7 + #left_out + i] = window end
return r
