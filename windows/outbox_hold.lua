-- Sets how long ago this pod took an entry: 0 renews the lease, more than any lease gives it back.
-- KEYS: outbox   ARGV: consumer, id, idle in ms   Returns 1, or 0: another pod holds it, or nobody.
local key, me, id = KEYS[1], ARGV[1], ARGV[2]
local held = redis.pcall('XPENDING', key, 'delivery', id, id, 1)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
if not held[1] or held[1][2] ~= me then return 0 end -- or there is no outbox: Redis was emptied
redis.call('XCLAIM', key, 'delivery', me, 0, id, 'IDLE', ARGV[3], 'JUSTID')
return 1
