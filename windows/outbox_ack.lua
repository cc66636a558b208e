-- Delivered, whoever holds it now: nobody needs to send it again. Of a digest all that it told.
-- KEYS: outbox, unsent, digests   ARGV: id, sink
local key, id = KEYS[1], ARGV[1]
local last, gone = redis.call('HGET', KEYS[3], id), {id}
for _, entry in ipairs(last and redis.call('XRANGE', key, '(' .. id, last) or {}) do gone[#gone + 1] = entry[1] end
redis.call('ZCARD', KEYS[2]) -- errors of type come before the first write
for _, one in ipairs(gone) do
    redis.call('ZREM', KEYS[2], ARGV[2] .. ' ' .. one)
    redis.call('XACK', key, 'delivery', one)
    redis.call('XDEL', key, one)
end
redis.call('HDEL', KEYS[3], id)
return #gone
