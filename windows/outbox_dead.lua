-- Moves an entry to the dead stream, once: not if it was answered meanwhile.
-- KEYS: outbox, dead stream   ARGV: id, reason, attempts   Returns 1, or 0: it was gone.
local key, id = KEYS[1], ARGV[1]
local entry = redis.call('XRANGE', key, id, id)[1]
if not entry then return 0 end
local fields = entry[2]
for _, word in ipairs({'entry', id, 'reason', ARGV[2], 'attempts', ARGV[3]}) do
    fields[#fields + 1] = word
end
redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('XACK', key, 'delivery', id)
return redis.call('XDEL', key, id)
