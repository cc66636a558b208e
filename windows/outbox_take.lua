-- The oldest entry that may be sent now: one whose lease ran out, or that this pod holds already (it
-- crashed, or the reply was lost); else a new one. While another pod holds one, there is none:
-- a sink is told of things in the order in which they became true.
-- KEYS: outbox, unsent   ARGV: consumer, lease in ms, sink
-- Returns {id, alert, times taken}, or for how many ms another pod holds it, or nil.
local key, me, lease = KEYS[1], ARGV[1], tonumber(ARGV[2])
local group, bound = 'delivery', 100

local function told(entry, times)
    local fields, alert = entry[2], ''
    for i = 1, #fields, 2 do
        if fields[i] == 'alert' then alert = fields[i + 1] end
    end
    return {entry[1], alert, times}
end

local function held()
    return redis.pcall('XPENDING', key, group, '-', '+', 1)
end

local first = held()
if first.err and string.find(first.err, 'NOGROUP', 1, true) then
    redis.call('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
    first = held()
end

for _ = 1, bound do
    if first.err then return first end
    if not first[1] then break end
    local id, owner, idle, times = unpack(first[1])
    if owner ~= me and idle < lease then return lease - idle end
    local claimed = redis.call('XCLAIM', key, group, me, 0, id)
    if claimed[1] then return told(claimed[1], times + 1) end
    redis.call('XACK', key, group, id) -- its entry was deleted by hand
    redis.call('ZREM', KEYS[2], ARGV[3] .. ' ' .. id)
    first = held()
end

local fresh = redis.call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', key, '>')
return fresh and told(fresh[1][2][1], 1)
