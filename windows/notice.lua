-- Puts a message of the watcher's own into a sink's outbox, once for all pods. It is nothing that a loss of Redis must bring
-- back, so it does not count as unsent.
-- KEYS: outbox, the notice: what was said last, when, as which entry, of which alert
-- ARGV: what, what must have been said before ('*': anything, but not what still waits), ms from one to the next, alert's id,
--       alert, event time   Returns 1 and ms until the next, or 0 and ms until it may be said.
local last, t = redis.call('HMGET', KEYS[2], 'what', 'at', 'entry'), redis.call('TIME')
local every, now = tonumber(ARGV[3]), t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[2] ~= '*' and (last[1] or '') ~= ARGV[2] then return {0, 0} end
local left = (tonumber(last[2]) or 0) + every - now
if left > 0 then return {0, left} end
if ARGV[2] == '*' and last[3] and redis.call('XRANGE', KEYS[1], last[3], last[3])[1] then return {0, every} end
local entry = redis.call('XADD', KEYS[1], '*', 'alert', ARGV[5], 'time', ARGV[6])
redis.call('HSET', KEYS[2], 'what', ARGV[1], 'at', string.format('%d', now), 'entry', entry, 'id', ARGV[4])
return {1, every}
