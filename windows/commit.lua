-- What became of judged windows: each holds iff nobody changed the window since it was read. Value, due
-- time, record, outbox and episodes move together.
-- KEYS, more: the confirmed record, then for each sink its outbox and its dead letters.
-- ARGV 3 new version, 4 record entries older than this stream id may go ('' none), 5 number of windows, 6 number of
--      sinks; for each sink: its name, how many entries its outbox may hold ('0' any); for each window: id, version,
--      value without its version ('' forget), due time ('' none), '1' waits for proof, number of record lines, lines, number of outbox lines, for each:
--      number of its sink, event time, line; number of episodes, for each: id, '1' ended, event time.
-- Reply: COMMITTED, how many lines found their outbox full, and for each window 1 or 0.
if not same_epoch() then return {'EPOCH'} end
local version, n, sinks_n = ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local RECORD, at, held, full = KEYS[MORE_KEYS + 1], 7 + 2 * sinks_n, {}, 0

-- Every argument is read before the first write: an error midway would keep what came before it.
local function read(from)
  local j = {id = ARGV[from], version = ARGV[from + 1], value = ARGV[from + 2], due = ARGV[from + 3],
             unproven = ARGV[from + 4] == '1', lines = from + 5, lines_n = tonumber(ARGV[from + 5])}
  j.outbox = j.lines + j.lines_n + 1
  j.outbox_n = tonumber(ARGV[j.outbox])
  j.episodes = j.outbox + 3 * j.outbox_n + 1
  j.episodes_n = tonumber(ARGV[j.episodes])
  j.next = j.episodes + 3 * j.episodes_n + 1
  if not (ARGV[j.next - 1] and (j.due == '' or tonumber(j.due))) then error('commit: bad arguments') end
  return j
end

local function record(line)
  if ARGV[4] ~= '' then
    redis.call('XADD', RECORD, 'MINID', '~', ARGV[4], '*', 'alert', line)
  else
    redis.call('XADD', RECORD, '*', 'alert', line)
  end
end

local floor = said()
local function send(sink, time, line)
  local outbox, dead = KEYS[MORE_KEYS + 2 * sink], KEYS[MORE_KEYS + 2 * sink + 1]
  local name, max = ARGV[5 + 2 * sink], tonumber(ARGV[6 + 2 * sink])
  if max > 0 and redis.call('XLEN', outbox) >= max then
    full = full + 1
    redis.call('XADD', dead, '*', 'alert', line, 'time', time, 'entry', '', 'reason', 'outbox full', 'attempts', '0')
    return
  end
  local id = redis.call('XADD', outbox, '*', 'alert', line, 'time', time)
  redis.call('ZADD', UNSENT, floor, name .. ' ' .. id)
end

-- Windows that are no more, by name.
local gone = {}
local function forget(j, value)
  local name = windows_name(string.sub(value, 19))
  redis.call('HDEL', WINDOWS, j.id)
  gone[name] = (gone[name] or 0) + 1
end

local function write(j, value)
  if j.value == '' then
    forget(j, value)
  else
    redis.call('HSET', WINDOWS, j.id, version .. j.value)
  end
  if j.due == '' then redis.call('ZREM', DUE, j.id) else redis.call('ZADD', DUE, j.due, j.id) end
  redis.call('ZREM', WAITING, j.id)
  redis.call(j.unproven and 'SADD' or 'SREM', UNPROVEN, j.id)
  for i = 1, j.lines_n do record(ARGV[j.lines + i]) end
  for i = j.outbox + 1, j.outbox + 3 * j.outbox_n, 3 do send(tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]) end
  for i = j.episodes + 1, j.episodes + 3 * j.episodes_n, 3 do
    redis.call('ZADD', ARGV[i + 1] == '1' and ENDED or EPISODES, ARGV[i + 2], ARGV[i])
  end
end

local windows = {}
for i = 1, n do
  windows[i] = read(at)
  at = windows[i].next
end
for i = 1, n do
  local value = redis.call('HGET', WINDOWS, windows[i].id)
  held[i] = value and string.sub(value, 1, 8) == windows[i].version and 1 or 0
  if held[i] == 1 then write(windows[i], value) end
end
for name, number in pairs(gone) do
  if redis.call('HINCRBY', STATE, 'keys ' .. name, -number) <= 0 then redis.call('HDEL', STATE, 'keys ' .. name) end
end
local r = reply('COMMITTED')
r[7] = full
for i = 1, n do r[7 + i] = held[i] end
return r
