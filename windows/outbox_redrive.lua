-- Gives a dead letter back to its sink: it stands in the outbox again, behind what is there, and is gone from the dead
-- stream; once, and while it is not sent it counts as unsent (horizon.lua).
-- KEYS: dead stream, outbox, unsent, meta   ARGV: id, sink   Returns 1, or 0 where it is not there.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
local fields, kept = entry[2], {}
for i = 1, #fields, 2 do
    if fields[i] == 'alert' or fields[i] == 'time' then
        kept[#kept + 1], kept[#kept + 2] = fields[i], fields[i + 1]
    end
end
redis.call('ZCARD', KEYS[3]) -- errors of type come before the first write
local said = redis.call('HGET', KEYS[4], 'said')
local id = redis.call('XADD', KEYS[2], '*', unpack(kept))
redis.call('ZADD', KEYS[3], said and said ~= '' and said or '-inf', ARGV[2] .. ' ' .. id)
return redis.call('XDEL', KEYS[1], ARGV[1])
