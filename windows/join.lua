-- A lane that stands where the shard stands becomes part of it (docs/once.md, "Rules that change"). Both have applied the
-- same events then: what holds of the shard's partitions holds of the lane's, and what the lane must not say is past.
-- The journal says it, so that its windows and its ids are the shard's.
-- KEYS, more: the lane's meta, cursors, highs, idles. ARGV 6 the lane, 7 a new epoch, 8 version of the new entry, 9 when the
-- lane's first window is due ('' none), 10 how many of its windows want judging, 11 who asks for a turn
-- ('' nobody).
-- Reply: JOINED, STALE or APART.
if not same_epoch() then return {'EPOCH'} end
local META2, CURSORS2, HIGHS2, IDLES2 = KEYS[MORE_KEYS + 1], KEYS[MORE_KEYS + 2], KEYS[MORE_KEYS + 3], KEYS[MORE_KEYS + 4]

-- In every partition that the watermark waits for: a topic that is gone leaves its cursors.
local function in_step()
  for _, partition in ipairs(redis.call('HKEYS', HIGHS)) do
    if redis.call('HGET', CURSORS, partition) ~= redis.call('HGET', CURSORS2, partition) then return false end
  end
  return true
end

-- The lane has come to where it was to begin to speak; of a log that was made anew, also to where the shard was in the
-- old one: until then the shard passes over what it has applied and the lane has not.
local function caught_up()
  local lane = redis.call('HMGET', META2, 'watermark', 'past_said')
  local w = tonumber(lane[1]) or -math.huge
  local top = tonumber(redis.call('HGET', META, 'top')) or -math.huge
  return w >= math.max(tonumber(lane[2]) or -math.huge, top)
end

-- A window that is due at t says nothing of before t - 1, one that waits might.
local function is_settled()
  local past, first = tonumber(redis.call('HGET', META2, 'past_said')), tonumber(ARGV[9])
  return ARGV[10] == '0' and not (past and first and first <= past)
end

local function take_later(key, key2)
  local theirs = redis.call('HGETALL', key2)
  for i = 1, #theirs, 2 do
    local a, b = tonumber(redis.call('HGET', key, theirs[i])), tonumber(theirs[i + 1])
    if b and (not a or b > a) then redis.call('HSET', key, theirs[i], int(b)) end
  end
end

if not may_write(ARGV[11]) then return stale() end
if redis.call('HEXISTS', STATE, 'lane:' .. ARGV[6]) == 0 or not in_step() or not caught_up() or not is_settled() then
  return reply('APART')
end
take_later(HIGHS, HIGHS2)
take_later(IDLES, IDLES2)
local a, b = tonumber(redis.call('HGET', META, 'said')), tonumber(redis.call('HGET', META2, 'said'))
if a and b and b < a then redis.call('HSET', META, 'said', int(b)) end
redis.call('HDEL', META, 'judged')
redis.call('HDEL', STATE, 'lane:' .. ARGV[6])
redis.call('HSET', STATE, 'rake:' .. ARGV[6], '1', 'epoch', ARGV[7])
append(ARGV[8], {'j', ARGV[6]}, {})
return reply('JOINED')
