-- Delivered, whoever holds it now: nobody needs to send it again.
-- KEYS: outbox, unsent   ARGV: id, sink
redis.call('ZREM', KEYS[2], ARGV[2] .. ' ' .. ARGV[1])
redis.call('XACK', KEYS[1], 'delivery', ARGV[1])
return redis.call('XDEL', KEYS[1], ARGV[1])
