-- Where a partition stands.
-- ARGV 3 partition. Reply: PLACED, cursor ('' none), high ('' none), offset and hash of the last record ('' none), marks.
if not same_epoch() then return {'EPOCH'} end
local r = reply('PLACED')
r[7] = redis.call('HGET', CURSORS, ARGV[3]) or ''
r[8] = redis.call('HGET', HIGHS, ARGV[3]) or ''
r[9] = redis.call('HGET', LASTS, ARGV[3]) or ''
r[10] = redis.call('HGET', MARKS, ARGV[3]) or ''
return r
