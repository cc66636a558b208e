-- What becomes of an entry that this pod holds and that was never sent, of a sink whose storms are told together: `above`
-- alerts within some time go one by one; where they were told, it waits; where it and what waits behind it would be
-- more, they go together. Nothing of a digest that was taken apart is put together again. Behind outbox_common.lua.
-- KEYS: outbox, digests, told (when the last alerts were, the newest first)
-- ARGV: id, above, within in ms, most entries, most bytes
-- What was composed before, and the reply was lost, is composed again.
-- Returns 0: alone, which is counted; for how many ms it waits; or those behind it, {1, id, alert, ...}, with 0 where
-- more wait that would go with them, and need not wait.
local id, above, within, most, room = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function is_behind(a, b)
    local a_ms, a_n = string.match(a, '^(%d+)%-(%d+)$')
    local b_ms, b_n = string.match(b, '^(%d+)%-(%d+)$')
    if a_ms ~= b_ms then return tonumber(a_ms) > tonumber(b_ms) end
    return tonumber(a_n) > tonumber(b_n)
end

-- Where a full Redis cannot keep it, nothing is held up.
local function alone()
    redis.pcall('LPUSH', KEYS[3], string.format('%.0f', now))
    redis.pcall('LTRIM', KEYS[3], 0, above - 1)
    redis.pcall('PEXPIRE', KEYS[3], within)
    return 0
end

local digests = digests_of(KEYS[2])
if digests.apart and not is_behind(id, digests.apart) then return 0 end
if digests[id] then
    local same = {1}
    for _, entry in ipairs(behind(id, digests[id])) do same[#same + 1], same[#same + 2] = entry[1], alert_of(entry) end
    return same[2] and same or 0
end
local told, recent = redis.call('LRANGE', KEYS[3], 0, above - 1), 0
for _, at in ipairs(told) do
    if math.abs(now - tonumber(at)) < within then recent = recent + 1 end -- the clock may have gone back
end
if recent >= above then return math.max(1, math.min(within, tonumber(told[above]) + within - now)) end
if recent + redis.call('XLEN', key) <= above then return alone() end
local waiting = redis.call('XRANGE', key, id, '+', 'COUNT', most)
if recent + #waiting <= above or waiting[1][1] ~= id then return alone() end -- or somebody deleted it

-- What others hold, and what is about the same rule and key as that or as something older than the head, which its taker
-- passed over, is not for this pod to tell. Of digests all of it.
local topics, found, bytes = {}, {#waiting < most and 1 or 0}, 0
local function is_others(entry)
    topics[topic_of(entry)] = true
    for _, other in ipairs(digests[entry[1]] and behind(entry[1], digests[entry[1]]) or {}) do topics[topic_of(other)] = true end
end
for _, row in ipairs(redis.call('XPENDING', key, group, '-', '+', bound)) do
    local held = row[1] ~= id and redis.call('XRANGE', key, row[1], row[1])[1]
    if held then is_others(held) end
end
local older, steps = redis.call('XRANGE', key, '-', id, 'COUNT', 1)[1], 0
while older and older[1] ~= id do
    steps = steps + 1
    if steps > bound then return alone() end
    is_others(older)
    older = redis.call('XRANGE', key, '(' .. (digests[older[1]] or older[1]), id, 'COUNT', 1)[1]
end
for i = 2, #waiting do
    local alert = alert_of(waiting[i])
    bytes = bytes + #alert
    if topics[topic_of(waiting[i])] or bytes > room then
        found[1] = bytes > room and 0 or 1
        break
    end
    found[#found + 1], found[#found + 2] = waiting[i][1], alert
end
if #found == 1 then return alone() end
return found
