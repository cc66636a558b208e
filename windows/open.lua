-- Makes the state at first start, reads it later, and makes partitions known.
-- ARGV 1 epoch for a new state ('' make none), 2 time.lateness, 3..5 what is known of the state before it ('' nothing):
--      said, record, from (see window_store.h); 6 ms after which a partition that is not named and that nobody
--      touched holds the watermark no more; then names of partitions.
-- Reply: OPENED, ..., the epoch ('' there is none), said, record, from.
local epoch = redis.call('HGET', META, 'epoch')
if not epoch and ARGV[1] ~= '' then
  epoch = ARGV[1]
  redis.call('HSET', META, 'epoch', epoch, 'past_said', ARGV[3], 'past_record', ARGV[4], 'past_from', ARGV[5],
             'said', ARGV[3], 'record', ARGV[4], 'from', ARGV[5])
end

local now, named = now_ms(), {}
for i = 7, #ARGV do
  local partition = ARGV[i]
  named[partition] = true
  if epoch and redis.call('HEXISTS', HIGHS, partition) == 0 then
    local kept = redis.call('HGET', META, 'retired:' .. partition)
    redis.call('HSET', HIGHS, partition, kept or '')
    redis.call('HDEL', META, 'retired:' .. partition)
    redis.call('HSET', SEEN, partition, int(now))
  end
end

-- A partition of a topic that is gone. Should it come back, its largest event time is still known.
local function retire(partition, high)
  local touched = math.max(tonumber(redis.call('HGET', SEEN, partition)) or 0,
                           tonumber(redis.call('HGET', ATS, partition)) or 0)
  if named[partition] or now - touched < tonumber(ARGV[6]) then return end
  redis.call('HSET', META, 'retired:' .. partition, high)
  redis.call('HDEL', HIGHS, partition)
  redis.call('HDEL', IDLES, partition)
end
if #ARGV > 6 then
  local highs = redis.call('HGETALL', HIGHS)
  for i = 1, #highs, 2 do retire(highs[i], highs[i + 1]) end
end

local r = reply('OPENED')
local past = redis.call('HMGET', META, 'past_said', 'past_record', 'past_from')
r[7], r[8], r[9], r[10] = epoch or '', past[1] or '', past[2] or '', past[3] or ''
return r
