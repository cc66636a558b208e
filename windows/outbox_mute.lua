-- A silence keeps the entry from its sink: what happened and why is written down, and the entry is gone, unless another
-- pod holds it. Of an episode whose beginning was kept back the sink is not told the end either (outbox_unmute).
-- KEYS: outbox, unsent, the shard's muted stream, the sink's muted episodes
-- ARGV: consumer, id, sink, alert id, state, severity, the silence as JSON, the oldest entry of the stream to keep
-- Returns 1 or 0.
local key, id = KEYS[1], ARGV[2]
local held = redis.pcall('XPENDING', key, 'delivery', id, id, 1)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
if held[1] and held[1][2] ~= ARGV[1] or not redis.call('XRANGE', key, id, id)[1] then return 0 end
redis.call('HLEN', KEYS[4]) -- errors of type come before the first write
redis.call('ZCARD', KEYS[2])
redis.call('XADD', KEYS[3], 'MINID', '~', ARGV[8], '*', 'sink', ARGV[3], 'alert', ARGV[4], 'state', ARGV[5],
           'severity', ARGV[6], 'silence', ARGV[7])
if ARGV[5] == 'firing' then redis.call('HSET', KEYS[4], ARGV[4], id) end
redis.call('ZREM', KEYS[2], ARGV[3] .. ' ' .. id)
redis.call('XACK', key, 'delivery', id)
return redis.call('XDEL', key, id)
