-- What became of judged windows, iff nothing was written to the journal since: bases, entry, record, outbox and episodes move
-- together.
-- KEYS, more: the confirmed record, then for each sink its outbox and its dead letters.
-- ARGV 6 record entries older than this stream id may go ('' none), 7 version of the new entry, 8 number of its fields,
--      9 of sinks, 10 of bases to write, 11 to delete, 12 of record lines, 13 of outbox lines, 14 of episodes, 15 who asks for a turn (''
--      nobody); then all these: fields:
--      names and values; for each sink: its name, how many entries its outbox may hold ('0' any); for each base: id, its
--      value, what mirrors begin with; ids; lines; for each line: number of its sink, event time, line; for each episode: id,
--      '1' ended, event time.
-- Reply: STALE; COMMITTED, how many lines found their outbox full.
if not same_epoch() then return {'EPOCH'} end
if not may_write(ARGV[15]) then return stale() end
local RECORD, at, full = KEYS[MORE_KEYS + 1], 16, 0

-- f for each of ARGV[n] groups of so many arguments.
local function each(n, size, f)
  for _ = 1, tonumber(ARGV[n]) do
    f(at)
    at = at + size
  end
end

-- What comes from here on has no time before it (horizon.lua).
local function judged()
  local at = redis.call('HMGET', META, 'said', 'judged')
  return at[2] or (at[1] and at[1] ~= '' and at[1]) or '-inf'
end

local fields, sinks, bases, infos, gone, unsent, begun, ended = {}, {}, {}, {}, {}, {}, {}, {}
each(8, 2, function(i) fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1] end)
each(9, 2, function(i) sinks[#sinks + 1] = {name = ARGV[i], max = tonumber(ARGV[i + 1])} end)
each(10, 3, function(i)
  bases[#bases + 1], bases[#bases + 2] = ARGV[i], ARGV[i + 1]
  infos[#infos + 1], infos[#infos + 2] = ARGV[i], ARGV[i + 2]
end)
each(11, 1, function(i) gone[#gone + 1] = ARGV[i] end)
append(ARGV[7], fields, {})
call_all('HSET', WINDOWS, bases)
call_all('HSET', BASES, infos)
call_all('HDEL', WINDOWS, gone)
call_all('HDEL', BASES, gone)
if ARGV[6] ~= '' and ARGV[12] ~= '0' then redis.call('XTRIM', RECORD, 'MINID', '~', ARGV[6]) end
each(12, 1, function(i) redis.call('XADD', RECORD, '*', 'alert', ARGV[i]) end)
local floor = ARGV[13] ~= '0' and judged()
each(13, 3, function(i)
  local sink, time, line = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local outbox, dead = KEYS[MORE_KEYS + 2 * sink], KEYS[MORE_KEYS + 2 * sink + 1]
  if sinks[sink].max > 0 and redis.call('XLEN', outbox) >= sinks[sink].max then
    full = full + 1
    redis.call('XADD', dead, '*', 'alert', line, 'time', time, 'entry', '', 'reason', 'outbox full', 'attempts', '0')
  else
    local id = redis.call('XADD', outbox, '*', 'alert', line, 'time', time)
    unsent[#unsent + 1], unsent[#unsent + 2] = floor, sinks[sink].name .. ' ' .. id
  end
end)
call_all('ZADD', UNSENT, unsent)
each(14, 3, function(i)
  local some = ARGV[i + 1] == '1' and ended or begun
  some[#some + 1], some[#some + 2] = ARGV[i + 2], ARGV[i]
end)
call_all('ZADD', EPISODES, begun)
call_all('ZADD', ENDED, ended)
local r = reply('COMMITTED')
r[4] = full
return r
