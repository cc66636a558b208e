-- Puts down that the entry, which this pod holds, is told together with those up to another one: from now on whoever takes
-- it sends just these. And counts them as told, but where more wait that would go with them.
-- KEYS: outbox, digests, told   ARGV: consumer, id, last id, how many entries, how many to count, above, within in ms
-- Returns 1; 2: they are others by now, or there is no room: it goes alone; 0: another pod holds it.
local key, id, last, above = KEYS[1], ARGV[2], ARGV[3], tonumber(ARGV[6])
local held = redis.pcall('XPENDING', key, 'delivery', id, last, 2)
if held.err and not string.find(held.err, 'NOGROUP', 1, true) then return held end
if not held[1] or held[1][1] ~= id or held[1][2] ~= ARGV[1] then return 0 end
local same = not held[2] and #redis.call('XRANGE', key, id, last) == tonumber(ARGV[4])
local kept = same and last ~= id and redis.pcall('HSET', KEYS[2], id, last)
if type(kept) ~= 'number' then redis.call('HDEL', KEYS[2], id) end -- composed before, and the reply was lost
if not same or kept and type(kept) ~= 'number' then return 2 end
local time, counted = redis.call('TIME'), {}
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for i = 1, math.min(above, tonumber(ARGV[5])) do counted[i] = now end
if #counted > 0 then
    redis.pcall('LPUSH', KEYS[3], unpack(counted))
    redis.pcall('LTRIM', KEYS[3], 0, above - 1)
    redis.pcall('PEXPIRE', KEYS[3], ARGV[7])
end
return 1
