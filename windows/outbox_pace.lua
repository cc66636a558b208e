-- One request of a sink every so many ms, over all pods. By the server's clock; where a full Redis cannot keep the
-- time of the last one, the sink is not held up.
-- KEYS: pace   ARGV: ms between two   Returns 0: now, else after how many ms to ask again.
local time, gap = redis.call('TIME'), tonumber(ARGV[1])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local next_ms = tonumber(redis.call('GET', KEYS[1]) or 0)
if next_ms > now and next_ms - now <= gap then return next_ms - now end
redis.pcall('SET', KEYS[1], string.format('%.0f', now + gap), 'PX', gap + 1000)
return 0
