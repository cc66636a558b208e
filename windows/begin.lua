-- Sets the cursor of a partition that has none, and the largest event time before it.
-- ARGV 6 partition, 7 start, 8 high ('' none). Reply: BEGUN.
if not same_epoch() then return {'EPOCH'} end
if redis.call('HSETNX', CURSORS, ARGV[6], ARGV[7]) == 1 then
  redis.call('HSET', HIGHS, ARGV[6], ARGV[8])
  if ARGV[8] ~= '' then redis.call('HSET', ATS, ARGV[6], int(now_ms())) end
end
return reply('BEGUN')
