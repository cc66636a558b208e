-- Sets how long ago this pod took an entry: 0 renews the lease, more than any lease gives it back.
-- KEYS: outbox   ARGV: consumer, id, idle in ms   Returns 1, or 0: another pod holds it, or nobody.
local key, me, id = KEYS[1], ARGV[1], ARGV[2]
local held = redis.call('XPENDING', key, 'delivery', id, id, 1)[1]
if not held or held[2] ~= me then return 0 end
redis.call('XCLAIM', key, 'delivery', me, 0, id, 'IDLE', ARGV[3], 'JUSTID')
return 1
