-- What became of judged windows: each holds iff nobody changed the window since it was read. Value, due
-- time, record, outbox and episodes move together.
-- KEYS, more: the confirmed record, then for each sink its outbox and its dead letters.
-- ARGV 3 record entries older than this stream id may go ('' none), 4 number of windows, 5 number of
--      sinks; for each sink: its name, how many entries its outbox may hold ('0' any); for each window: id, version,
--      its new header with what stands behind it ('' forget), its piece ('' none; of one to forget: the name of its
--      rule's windows), due time ('' none), '1' waits for proof, number of record lines, lines, number of outbox lines, for each:
--      number of its sink, event time, line; number of episodes, for each: id, '1' ended, event time.
-- Reply: COMMITTED, how many lines found their outbox full, and for each window 1 or 0.
if not same_epoch() then return {'EPOCH'} end
local n, sinks_n = tonumber(ARGV[4]), tonumber(ARGV[5])
local RECORD, at, held, full = KEYS[MORE_KEYS + 1], 6 + 2 * sinks_n, {}, 0

-- Every argument is read before the first write: an error midway would keep what came before it.
local function read(from)
  local j = {id = ARGV[from], version = ARGV[from + 1], header = ARGV[from + 2], piece = ARGV[from + 3],
             due = ARGV[from + 4], unproven = ARGV[from + 5] == '1', lines = from + 6, lines_n = tonumber(ARGV[from + 6])}
  j.outbox = j.lines + j.lines_n + 1
  j.outbox_n = tonumber(ARGV[j.outbox])
  j.episodes = j.outbox + 3 * j.outbox_n + 1
  j.episodes_n = tonumber(ARGV[j.episodes])
  j.next = j.episodes + 3 * j.episodes_n + 1
  if not (ARGV[j.next - 1] and (j.due == '' or tonumber(j.due))) then error('commit: bad arguments') end
  return j
end

local function record(line)
  if ARGV[3] ~= '' then
    redis.call('XADD', RECORD, 'MINID', '~', ARGV[3], '*', 'alert', line)
  else
    redis.call('XADD', RECORD, '*', 'alert', line)
  end
end

local floor = said()
local function send(sink, time, line)
  local outbox, dead = KEYS[MORE_KEYS + 2 * sink], KEYS[MORE_KEYS + 2 * sink + 1]
  local name, max = ARGV[4 + 2 * sink], tonumber(ARGV[5 + 2 * sink])
  if max > 0 and redis.call('XLEN', outbox) >= max then
    full = full + 1
    redis.call('XADD', dead, '*', 'alert', line, 'time', time, 'entry', '', 'reason', 'outbox full', 'attempts', '0')
    return
  end
  local id = redis.call('XADD', outbox, '*', 'alert', line, 'time', time)
  redis.call('ZADD', UNSENT, floor, name .. ' ' .. id)
end

-- What becomes of all windows together: one command for many.
local set, gone, del, due, not_due, proven, unproven, judged = {}, {}, {}, {}, {}, {}, {}, {}

local function add(list, a, b)
  list[#list + 1] = a
  if b then list[#list + 1] = b end
end

-- What is there has so many pieces; those of the new value come first.
local function replace(j, pieces)
  local left = 0
  if j.header == '' then
    add(del, j.id)
    gone[j.piece] = (gone[j.piece] or 0) + 1
  else
    add(set, j.id, j.header)
    if j.piece ~= '' then
      left = 1
      add(set, j.id .. '\1', j.piece)
    end
  end
  for _, name in ipairs(piece_names(j.id, left + 1, pieces)) do add(del, name) end
end

local function write(j, pieces)
  replace(j, pieces)
  if j.due == '' then add(not_due, j.id) else add(due, j.due, j.id) end
  add(judged, j.id)
  add(j.unproven and unproven or proven, j.id)
  for i = 1, j.lines_n do record(ARGV[j.lines + i]) end
  for i = j.outbox + 1, j.outbox + 3 * j.outbox_n, 3 do send(tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]) end
  for i = j.episodes + 1, j.episodes + 3 * j.episodes_n, 3 do
    redis.call('ZADD', ARGV[i + 1] == '1' and ENDED or EPISODES, ARGV[i + 2], ARGV[i])
  end
end

local windows, ids = {}, {}
for i = 1, n do
  windows[i] = read(at)
  ids[i] = windows[i].id
  at = windows[i].next
end
in_pieces(n, function(from, to)
  local headers = redis.call('HMGET', WINDOWS, unpack(ids, from, to))
  for i = from, to do
    local header = headers[i - from + 1]
    held[i] = header and string.sub(header, 1, 8) == windows[i].version and 1 or 0
    if held[i] == 1 then write(windows[i], pieces_of(header)) end
  end
end)
call_all('HSET', WINDOWS, set)
call_all('HDEL', WINDOWS, del)
call_all('ZADD', DUE, due)
call_all('ZREM', DUE, not_due)
call_all('ZREM', WAITING, judged)
call_all('SADD', UNPROVEN, unproven)
call_all('SREM', UNPROVEN, proven)
count_out(gone)
local r = reply('COMMITTED')
r[7] = full
for i = 1, n do r[7 + i] = held[i] end
return r
