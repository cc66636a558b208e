-- Where a partition stands.
-- ARGV 6 partition. Reply: PLACED, cursor ('' none), high ('' none), offset and hash of the last record ('' none), marks.
if not same_epoch() then return {'EPOCH'} end
local r = reply('PLACED')
r[4] = redis.call('HGET', CURSORS, ARGV[6]) or ''
r[5] = redis.call('HGET', HIGHS, ARGV[6]) or ''
r[6] = redis.call('HGET', LASTS, ARGV[6]) or ''
r[7] = redis.call('HGET', MARKS, ARGV[6]) or ''
return r
