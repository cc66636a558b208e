-- Nothing was left to read at the cursor. Proven by a request issued when the clock told ARGV 7 ('' not
-- proven), event time moves by what passed since the partition's last events were applied; an empty partition
-- moves with the clock.
-- ARGV 6 partition, 7 cursor, 8 clock. Reply: APPLIED or MISPLACED.
if not same_epoch() then return {'EPOCH'} end
local partition, proven = ARGV[6], tonumber(ARGV[8])
local cursor = redis.call('HGET', CURSORS, partition)
local high = redis.call('HGET', HIGHS, partition)
if cursor ~= ARGV[7] then
  return reply('MISPLACED')
end
local now = int(now_ms())
redis.call('HSET', META, 'clock', now)
redis.call('HSET', SEEN, partition, now)
if proven then
  local t, at = proven, tonumber(redis.call('HGET', ATS, partition))
  if tonumber(high) and at then t = math.min(t, tonumber(high) + (proven - at)) end
  t = t - tonumber(ARGV[2])
  -- A state made anew: nothing older than what was said before can come.
  t = math.max(t, tonumber(redis.call('HGET', META, 'past_said')) or t)
  local before = tonumber(redis.call('HGET', IDLES, partition))
  if not before or t > before then redis.call('HSET', IDLES, partition, int(t)) end
end
return reply('APPLIED')
