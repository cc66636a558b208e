-- Keeps what a sink wants to know later of one rule and key, while this pod holds the entry that it is about: a pod
-- that slept must not overwrite what another has learnt since.
-- KEYS: outbox, memory   ARGV: consumer, id, text, for how many ms   Returns 1 or 0.
local held = redis.pcall('XPENDING', KEYS[1], 'delivery', ARGV[2], ARGV[2], 1)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
if not held[1] or held[1][2] ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 1
