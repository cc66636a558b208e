-- Put before every script of the store. The keys of a shard, in every call:
local META, CURSORS, HIGHS, IDLES, ATS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local WINDOWS, BASES, JOURNAL = KEYS[6], KEYS[7], KEYS[8]
local LASTS, MARKS, SEEN, UNSENT, EPISODES, ENDED = KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14]
-- STATE: META of the shard itself; where a lane is called, META and what belongs to a position are the lane's.
local STATE = KEYS[15]
local MORE_KEYS = 15 -- those of a single script come behind
-- Arguments of every call: 1 epoch, 2 time.lateness in ms, 3 number and 4 version of the last entry of the journal that is known,
-- 5 the watermark that is known ('' none).
-- Every reply begins: outcome, watermark ('' none), now.

local function int(n)
  return string.format('%d', n)
end

-- What nearly every script asks of the state, at once, for a call costs more than a field. As it was when the script began, but for
-- `next_entry` and `last_version`, which append() moves on, and `settled`, which watermark() does.
local EPOCH, TURN, CLOCK, next_entry, last_version, settled =
  unpack(redis.call('HMGET', STATE, 'epoch', 'turn', 'clock', 'next', 'tail', 'watermark'))
if STATE ~= META then settled = redis.call('HGET', META, 'watermark') end
settled = tonumber(settled) -- the watermark as it stands; nil: there is none

local TIME = redis.call('TIME')
local SERVER_MS = tonumber(TIME[1]) * 1000 + math.floor(tonumber(TIME[2]) / 1000)

-- One clock for all, never backwards, also where another server took over.
local function now_ms()
  return math.max(SERVER_MS, tonumber(CLOCK) or 0)
end

-- The minimum over all partitions, never backwards; nil while one of them has shown nothing.
local function watermark()
  local highs, lateness, idles, low = redis.call('HGETALL', HIGHS), tonumber(ARGV[2]), {}, nil
  local pairs_ = redis.call('HGETALL', IDLES)
  for i = 1, #pairs_, 2 do idles[pairs_[i]] = tonumber(pairs_[i + 1]) end
  for i = 1, #highs, 2 do
    local high, idle = tonumber(highs[i + 1]), idles[highs[i]]
    local w = high and high - lateness
    if idle and (not w or idle > w) then w = idle end
    if not w then return settled end
    if not low or w < low then low = w end
  end
  if low and (not settled or low > settled) then
    redis.call('HSET', META, 'watermark', int(low))
    settled = low
  end
  return settled
end

local function reply(outcome)
  local w = watermark()
  return {outcome, w and int(w) or '', int(now_ms())}
end

local function same_epoch()
  return EPOCH == ARGV[1]
end

-- The journal: entries 1 to `next` - 1, of which `tail` is the last one's version. Field NUMBER says an entry's version and
-- names its other fields, for the last twenty thousand.
local VERSION_BYTES, ENTRIES_KEPT = 8, 20000

local function last_entry()
  return (tonumber(next_entry) or 1) - 1, last_version or ''
end

-- Whether who calls knows all of it. Who writes must: what is written was decided on that. Where Redis lost no entry but
-- what moved the watermark, that is seen by the watermark.
local function is_current()
  local number, version = last_entry()
  if tonumber(ARGV[3]) ~= number or ARGV[4] ~= version then return false end
  local known = tonumber(ARGV[5])
  return not known or known <= (settled or -math.huge)
end

-- Who was refused often asks for a turn: for a moment nobody else writes. By the server's own clock; should that go back, no
-- longer either.
local TURN_MS = 200

-- Whether who calls may write. `who`: what it names itself by where it asks for a turn, else ''.
local function may_write(who)
  local name, till = string.match(TURN or '', '^(%w+) (%d+)$')
  local left = till and tonumber(till) - SERVER_MS or 0
  local taken = left > 0 and left <= TURN_MS
  if is_current() and (not taken or name == who) then
    if till then redis.call('HDEL', STATE, 'turn') end
    return true
  end
  if who ~= '' and not taken then redis.call('HSET', STATE, 'turn', who .. ' ' .. int(SERVER_MS + TURN_MS)) end
  return false
end

-- What was written since the entry that is known, some megabytes at a time: STALE, watermark, now, number and version of the
-- last entry that is there, of the last one told, then names and values of fields; a name with '-' before it is one that was dropped,
-- and has no value. RELOAD, ..., number and version of the last entry: the entry that is known is none of this journal, or too old.
local function stale()
  local MOST_BYTES = 4000000
  local known, last, version = tonumber(ARGV[3]), last_entry()
  local function of(number) return redis.call('HGET', JOURNAL, int(number)) end
  local function reload()
    local r = reply('RELOAD')
    r[4], r[5] = int(last), version
    return r
  end
  local own = known > 0 and of(known)
  if known > last or (known == 0 and last > 0) or (known > 0 and not own)
     or (own and string.sub(own, 1, VERSION_BYTES) ~= ARGV[4]) then
    return reload()
  end
  local fields, bytes, number, told = {}, 0, known, ARGV[4]
  while number < last and bytes < MOST_BYTES do
    number = number + 1
    local entry = of(number)
    told = string.sub(entry, 1, VERSION_BYTES)
    for name in string.gmatch(string.sub(entry, VERSION_BYTES + 1), '[^\n]+') do
      if string.byte(name) == 45 then
        fields[#fields + 1], fields[#fields + 2] = name, ''
      else
        local field = int(number) .. ' ' .. name
        local value = redis.call('HGET', JOURNAL, field)
        if not value then return reload() end -- it was dropped: too old
        fields[#fields + 1], fields[#fields + 2] = field, value
        bytes = bytes + #value
      end
    end
  end
  local r = reply('STALE')
  r[4], r[5], r[6], r[7] = int(last), version, int(number), told
  for i = 1, #fields do r[7 + i] = fields[i] end
  return r
end

-- The command with many arguments, in even pieces: a call takes a bounded number of values.
local function call_all(command, key, args)
  for from = 1, #args, 1000 do redis.call(command, key, unpack(args, from, math.min(from + 999, #args))) end
end

-- Arguments of this call, however many.
local function args_between(from, to)
  local some = {}
  for i = from, to do some[#some + 1] = ARGV[i] end
  return some
end

-- Fields: names without the number, and values, in turn; names of fields that go, with theirs.
local function append(version, fields, dropped)
  local number = last_entry() + 1
  local names, set = {}, {}
  for i = 1, #fields, 2 do
    names[#names + 1] = fields[i]
    set[#set + 1], set[#set + 2] = int(number) .. ' ' .. fields[i], fields[i + 1]
  end
  for i = 1, #dropped do names[#names + 1] = '-' .. dropped[i] end
  call_all('HDEL', JOURNAL, dropped)
  set[#set + 1], set[#set + 2] = int(number), version .. table.concat(names, '\n')
  call_all('HSET', JOURNAL, set)
  next_entry, last_version = number + 1, version
  redis.call('HSET', STATE, 'next', int(next_entry), 'tail', version)
  redis.call('HDEL', JOURNAL, int(number - ENTRIES_KEPT))
end

-- f(arguments from, to) for pieces of at most 500, for the same reason.
local function in_pieces(n, f)
  for from = 1, n, 500 do f(from, math.min(from + 499, n)) end
end
