-- How full it is. Also heals: an entry that somebody deleted by hand must not stay unsent for ever, for
-- nothing newer would ever be taken for delivered. Only the oldest unsent matters, so one a call will do.
-- KEYS: outbox, unsent, dead stream   ARGV: sink   Returns entries, dead entries, age of the oldest in ms.
local key, member = KEYS[1], redis.call('ZRANGE', KEYS[2], 0, 0)[1]
local sink, id = string.match(member or '', '^(.*) ([^ ]*)$')
if sink == ARGV[1] and not redis.call('XRANGE', key, id, id)[1] then
    redis.call('ZREM', KEYS[2], member)
end
local first, age = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1], 0
if first then
    local now = redis.call('TIME')
    age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(string.match(first[1], '^%d+'))
end
return {redis.call('XLEN', key), redis.call('XLEN', KEYS[3]), age > 0 and age or 0}
