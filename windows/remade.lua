-- The partition's log is another than the one that was applied: it is read from its beginning. What was
-- counted stays; what comes twice is refused by its id, or as older than the watermark.
-- ARGV 6 partition, 7 cursor: nothing happens unless it still stands there, 8 the cursor of the new log's beginning.
if not same_epoch() then return {'EPOCH'} end
local partition = ARGV[6]
if redis.call('HGET', CURSORS, partition) == ARGV[7] then
  local top = math.max(tonumber(redis.call('HGET', META, 'top')) or -math.huge,
                       tonumber(redis.call('HGET', HIGHS, partition)) or -math.huge)
  if top > -math.huge then redis.call('HSET', META, 'top', int(top)) end -- join.lua
  redis.call('HSET', CURSORS, partition, ARGV[8])
  redis.call('HSET', HIGHS, partition, '')
  for _, key in ipairs({LASTS, MARKS, IDLES, ATS}) do redis.call('HDEL', key, partition) end
  redis.call('HINCRBY', META, 'remade', 1)
end
return reply('REMADE')
