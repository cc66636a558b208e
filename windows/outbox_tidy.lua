-- Forgets the names of this pod and of pods long gone, but never one that holds an entry: Redis would
-- forget the entry with it.
-- KEYS: outbox   ARGV: consumer, gone for how many ms
local named = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], 'delivery')
if named.err then return 0 end
for _, row in ipairs(named) do
    local of = {}
    for i = 1, #row, 2 do of[row[i]] = row[i + 1] end
    if of.pending == 0 and (of.name == ARGV[1] or of.idle >= tonumber(ARGV[2])) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'delivery', of.name)
    end
end
return 1
