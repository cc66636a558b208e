-- What a lane that is none any more left: its windows' due times go to the shard, the earliest first, a part a call; then
-- all that was its own goes.
-- KEYS, more: the lane's due, waiting, unproven, id_slots, and 7 others; then slots of ids. ARGV 3 the lane, 4 how many
--       windows at most; then the slots' names. Reply: RAKED, '1' when nothing is left.
if not same_epoch() then return {'EPOCH'} end
local DUE2, WAITING2, UNPROVEN2, ID_SLOTS2 = KEYS[MORE_KEYS + 1], KEYS[MORE_KEYS + 2], KEYS[MORE_KEYS + 3], KEYS[MORE_KEYS + 4]
if redis.call('HEXISTS', STATE, 'rake:' .. ARGV[3]) == 0 then return reply('RAKED') end
for _, keys in ipairs({{DUE2, DUE, 'LT'}, {WAITING2, WAITING, 'NX'}}) do
  local due = redis.call('ZRANGE', keys[1], 0, ARGV[4] - 1, 'WITHSCORES')
  for i = 1, #due, 2 do
    redis.call('ZADD', keys[2], keys[3], due[i + 1], due[i])
    redis.call('ZREM', keys[1], due[i])
  end
end
for i = 5, #ARGV do
  redis.call('UNLINK', KEYS[MORE_KEYS + 11 + i - 4])
  redis.call('ZREM', ID_SLOTS2, ARGV[i])
end
local left = redis.call('ZCARD', DUE2) + redis.call('ZCARD', WAITING2) + redis.call('ZCARD', ID_SLOTS2)
if left == 0 then
  for i = 1, 11 do redis.call('UNLINK', KEYS[MORE_KEYS + i]) end
  redis.call('HDEL', STATE, 'rake:' .. ARGV[3])
end
local r = reply('RAKED')
r[7] = left == 0 and '1' or '0'
return r
