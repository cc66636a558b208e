-- Whether a later step of the same alert waits behind this one. Looks at so many entries, no further.
-- KEYS: outbox   ARGV: id of the entry, id of the alert   Returns 1 or 0.
local bound, part, from = 1000, 50, '(' .. ARGV[1]
local begins = '{"id":"' .. ARGV[2] .. '"'
for _ = 1, bound / part do
    local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', part)
    for _, entry in ipairs(entries) do
        local fields = entry[2]
        for i = 1, #fields, 2 do
            if fields[i] == 'alert' and string.sub(fields[i + 1], 1, #begins) == begins then return 1 end
        end
        from = '(' .. entry[1]
    end
    if #entries < part then return 0 end
end
return 0
