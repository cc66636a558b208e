-- Windows that want judging: those that wait since a change, and those whose due time the watermark reached.
-- ARGV 3 how many at most, 4 '1': also those that wait for proof. Reply: WINDOWS, values.
if not same_epoch() then return {'EPOCH'} end
local limit, w = tonumber(ARGV[3]), watermark()
local ids, listed = {}, {}
local function list(more)
  for i = 1, #more do
    if not listed[more[i]] then listed[more[i]] = true; ids[#ids + 1] = more[i] end
  end
end
list(redis.call('ZRANGE', WAITING, 0, limit - 1))
if ARGV[4] == '1' then list(redis.call('SRANDMEMBER', UNPROVEN, limit)) end
if w and #ids < limit then
  list(redis.call('ZRANGEBYSCORE', DUE, '-inf', int(w), 'LIMIT', 0, limit - #ids))
end
local values = {}
in_pieces(#ids, function(from, to)
  local got = redis.call('HMGET', WINDOWS, unpack(ids, from, to))
  for i = 1, to - from + 1 do
    if got[i] then
      values[#values + 1] = got[i]
    else
      redis.call('ZREM', WAITING, ids[from + i - 1])
      redis.call('SREM', UNPROVEN, ids[from + i - 1])
      redis.call('ZREM', DUE, ids[from + i - 1])
    end
  end
end)
-- About a megabyte at a time, at least one.
local r, bytes = reply('WINDOWS'), 0
for i = 1, #values do
  if bytes > 1000000 then break end
  r[6 + i], bytes = values[i], bytes + #values[i]
end
return r
