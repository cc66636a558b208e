-- Makes the state at first start, reads it later, and makes partitions known.
-- ARGV 1 epoch for a new state ('' make none), 2 time.lateness, 3 format of the state; then names of partitions.
-- Reply: OPENED or FORMAT (of another version), ..., the epoch, the format.
local format = redis.call('HGET', META, 'format')
if format and format ~= ARGV[3] then
  local r = reply('FORMAT')
  r[7], r[8] = '', format
  return r
end
if ARGV[1] ~= '' then
  redis.call('HSETNX', META, 'epoch', ARGV[1])
  redis.call('HSETNX', META, 'format', ARGV[3])
end
for i = 4, #ARGV do redis.call('HSETNX', HIGHS, ARGV[i], '') end
local r = reply('OPENED')
r[7], r[8] = redis.call('HGET', META, 'epoch') or '', ARGV[3]
return r
