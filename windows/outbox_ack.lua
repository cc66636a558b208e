-- Delivered, whoever holds it now: nobody needs to send it again.
-- KEYS: outbox   ARGV: id
redis.call('XACK', KEYS[1], 'delivery', ARGV[1])
return redis.call('XDEL', KEYS[1], ARGV[1])
