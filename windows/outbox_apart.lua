-- Takes a digest apart, while this pod holds it: its entries go one by one, and are not put together again.
-- KEYS: outbox, digests   ARGV: consumer, id   Returns 1, or 0: another pod holds it, or it is gone.
local key, id = KEYS[1], ARGV[2]
local held = redis.pcall('XPENDING', key, 'delivery', id, id, 1)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
if not held[1] or held[1][2] ~= ARGV[1] then return 0 end
local last = redis.call('HGET', KEYS[2], id)
if last then redis.pcall('HSET', KEYS[2], 'apart', last) end -- where a full Redis cannot keep it, they may be put together
redis.call('HDEL', KEYS[2], id)
return 1
