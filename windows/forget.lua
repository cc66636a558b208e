-- Drops the ids of slots that the watermark has passed: no event of that time can be accepted any more.
-- KEYS, more: the slots. ARGV 3..: their names. Reply: FORGOT.
if not same_epoch() then return {'EPOCH'} end
local r = reply('FORGOT')
local w = tonumber(r[2])
for i = 3, #ARGV do
  local ends = redis.call('ZSCORE', ID_SLOTS, ARGV[i])
  if w and ends and tonumber(ends) <= w then
    redis.call('UNLINK', KEYS[MORE_KEYS + i - 2])
    redis.call('ZREM', ID_SLOTS, ARGV[i])
  end
end
return r
