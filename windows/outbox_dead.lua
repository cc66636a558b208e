-- Moves an entry to the dead stream, once, and only while this pod holds it: who took it over decides.
-- KEYS: outbox, unsent, dead stream   ARGV: consumer, id, sink, reason, attempts   Returns 1 or 0.
local key, me, id = KEYS[1], ARGV[1], ARGV[2]
local member = ARGV[3] .. ' ' .. id
local held = redis.pcall('XPENDING', key, 'delivery', id, id, 1)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
local entry = redis.call('XRANGE', key, id, id)[1]
redis.call('ZSCORE', KEYS[2], member) -- an error of type comes before the first write
if not entry or not held[1] or held[1][2] ~= me then return 0 end
local fields = entry[2]
for _, word in ipairs({'entry', id, 'reason', ARGV[4], 'attempts', ARGV[5]}) do
    fields[#fields + 1] = word
end
redis.call('XADD', KEYS[3], '*', unpack(fields))
redis.call('ZREM', KEYS[2], member)
redis.call('XACK', key, 'delivery', id)
return redis.call('XDEL', key, id)
