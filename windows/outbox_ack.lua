-- Delivered, whoever holds it now: nobody needs to send it again. Of a digest all that it told, which its sender says, and
-- not what Redis says by now: a single alert takes no other with it.
-- KEYS: outbox, unsent, digests   ARGV: id, sink, the last entry that was told with it or ''
local key, id, last, gone = KEYS[1], ARGV[1], ARGV[3], {ARGV[1]}
for _, entry in ipairs(last ~= '' and redis.call('XRANGE', key, '(' .. id, last) or {}) do gone[#gone + 1] = entry[1] end
redis.call('ZCARD', KEYS[2]) -- errors of type come before the first write
redis.call('HLEN', KEYS[3])
for _, one in ipairs(gone) do
    redis.call('ZREM', KEYS[2], ARGV[2] .. ' ' .. one)
    redis.call('XACK', key, 'delivery', one)
    redis.call('XDEL', key, one)
end
redis.call('HDEL', KEYS[3], id)
return #gone
