-- Whether everything that was appended so far is in the windows.
-- ARGV 6..: for each partition its name and where its log ends. Reply: PROVES, 1 if every cursor stands there or behind.
if not same_epoch() then return {'EPOCH'} end
local all = 1
for i = 6, #ARGV, 2 do
  local cursor = redis.call('HGET', CURSORS, ARGV[i])
  local offset = cursor and tonumber(string.match(cursor, ':(%d+)$')) or 0
  if offset < tonumber(ARGV[i + 1]) then all = 0 end
end
local r = reply('PROVES')
r[4] = all
return r
