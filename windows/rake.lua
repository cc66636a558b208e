-- What a lane that is none any more left goes.
-- KEYS, more: what was its own. ARGV 6 the lane. Reply: RAKED.
if not same_epoch() then return {'EPOCH'} end
if redis.call('HDEL', STATE, 'rake:' .. ARGV[6]) == 1 then
  for i = MORE_KEYS + 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
end
return reply('RAKED')
