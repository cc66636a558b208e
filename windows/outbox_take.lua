-- The oldest entry that may be sent now: one whose lease ran out, or that this pod holds without knowing it (it
-- crashed, or the reply was lost); else a new one. Of one rule and key only one is held at a time, by all pods, and
-- always the oldest: its readers are told of things in the order in which they became true.
-- The first entry of a digest is taken for all of it. Behind outbox_common.lua.
-- KEYS: outbox, unsent, digests   ARGV: consumer, lease in ms, sink, most held at a time, ids this pod knows to hold
-- (" 1-0 2-0 ")   Returns {id, alert, times taken, the digest's last entry or '', its others: id, alert, ...}, or for how many ms
-- other pods hold what keeps it, or nil.
local me, lease, most, known = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), ARGV[5]
local digests = digests_of(KEYS[3])

local function told(entry, times)
    local last = digests[entry[1]] or ''
    local reply = {entry[1], alert_of(entry), times, last}
    for _, other in ipairs(last ~= '' and behind(entry[1], last) or {}) do reply[#reply + 1], reply[#reply + 2] = other[1], alert_of(other) end
    return reply
end

local function pending()
    return redis.pcall('XPENDING', key, group, '-', '+', bound)
end

local rows = pending()
if rows.err and string.find(rows.err, 'NOGROUP', 1, true) then
    redis.call('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
    rows = pending()
end
if rows.err then return rows end

local taken, topics, held, wait = {}, {}, 0, false
for _, row in ipairs(rows) do
    local id, owner, idle, times = unpack(row)
    local entry, ours = redis.call('XRANGE', key, id, id)[1], string.find(known, ' ' .. id .. ' ', 1, true)
    if not entry then -- deleted by hand
        redis.call('XACK', key, group, id)
        redis.call('ZREM', KEYS[2], ARGV[3] .. ' ' .. id)
        redis.call('HDEL', KEYS[3], id)
    elseif not ours and (owner == me or idle >= lease) then
        redis.call('XCLAIM', key, group, me, 0, id)
        return told(entry, times + 1)
    else
        held, taken[id], topics[topic_of(entry)] = held + 1, true, true
        if owner ~= me and (not wait or lease - idle < wait) then wait = lease - idle end
    end
end
if held >= most then return wait end

-- What a digest tells is held with it; one without its first entry, which somebody took away, is none.
for first, last in pairs(digests) do
    if first ~= 'apart' and not redis.call('XRANGE', key, first, first)[1] then redis.call('HDEL', KEYS[3], first) end
    for _, entry in ipairs(taken[first] and behind(first, last) or {}) do topics[topic_of(entry)] = true end
end

local from = '-'
for _ = 1, bound do
    local entry = redis.call('XRANGE', key, from, '+', 'COUNT', 1)[1]
    if not entry then return wait end
    local topic = held > 0 and topic_of(entry)
    if not taken[entry[1]] and not topics[topic] then
        redis.call('XCLAIM', key, group, me, 0, entry[1], 'RETRYCOUNT', 1, 'FORCE', 'JUSTID')
        return told(entry, 1)
    end
    topics[topic], from = true, '(' .. (taken[entry[1]] and digests[entry[1]] or entry[1])
end
return wait
