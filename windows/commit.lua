-- What became of judged windows: each holds iff nobody changed the window since it was read. Value, due
-- time, record and outbox move together.
-- KEYS 11 the confirmed record, 12.. outbox streams.
-- ARGV 3 new version, 4 record entries older than this stream id may go ('' none), 5 number of windows; then
--      for each: id, version, value without its version ('' forget), due time ('' none), number of record
--      lines, lines, number of outbox lines, for each: number of its key, line.
-- Reply: COMMITTED and for each window 1 or 0.
if not same_epoch() then return {'EPOCH'} end
local version, n, at = ARGV[3], tonumber(ARGV[5]), 6
local held = {}

local function skip(from)
  local lines = tonumber(ARGV[from + 4])
  local outbox = tonumber(ARGV[from + 5 + lines])
  return from + 6 + lines + 2 * outbox
end

local function record(line)
  if ARGV[4] ~= '' then
    redis.call('XADD', KEYS[11], 'MINID', '~', ARGV[4], '*', 'alert', line)
  else
    redis.call('XADD', KEYS[11], '*', 'alert', line)
  end
end

local function write(from)
  local id, value, due = ARGV[from], ARGV[from + 2], ARGV[from + 3]
  local lines = tonumber(ARGV[from + 4])
  if value == '' then
    redis.call('HDEL', WINDOWS, id)
  else
    redis.call('HSET', WINDOWS, id, version .. value)
  end
  if due == '' then redis.call('ZREM', DUE, id) else redis.call('ZADD', DUE, due, id) end
  redis.call('SREM', WAITING, id)
  for i = 1, lines do record(ARGV[from + 4 + i]) end
  local base = from + 5 + lines
  for i = 1, tonumber(ARGV[base]) do
    redis.call('XADD', KEYS[11 + tonumber(ARGV[base + 2 * i - 1])], '*', 'alert', ARGV[base + 2 * i])
  end
end

for i = 1, n do
  local value = redis.call('HGET', WINDOWS, ARGV[at])
  held[i] = value and string.sub(value, 1, 8) == ARGV[at + 1] and 1 or 0
  if held[i] == 1 then write(at) end
  at = skip(at)
end
local r = reply('COMMITTED')
for i = 1, n do r[6 + i] = held[i] end
return r
