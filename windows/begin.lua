-- Sets the cursor of a partition that has none, and the largest event time before it.
-- ARGV 3 partition, 4 start, 5 high ('' none). Reply: BEGUN.
if not same_epoch() then return {'EPOCH'} end
if redis.call('HSETNX', CURSORS, ARGV[3], ARGV[4]) == 1 then
  redis.call('HSET', HIGHS, ARGV[3], ARGV[5])
  if ARGV[5] ~= '' then redis.call('HSET', ATS, ARGV[3], int(now_ms())) end
end
return reply('BEGUN')
