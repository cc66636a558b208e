-- A lane that stands where the shard stands becomes part of it (docs/once.md, "Rules that change"). Both have applied the
-- same events then: what holds of the shard's partitions holds of the lane's, and what the lane must not say is past.
-- The shard knows ids of events that concerned its own rules; now the lane's rules are its own, and so are their ids.
-- KEYS, more: the lane's meta, cursors, highs, idles, due, waiting, unproven, id_slots; then for each slot of its ids the
--       shard's and the lane's. ARGV 3 the lane, 4 a new epoch; then the slots' names.
-- Reply: JOINED or APART.
if not same_epoch() then return {'EPOCH'} end
local META2, CURSORS2, HIGHS2, IDLES2 = KEYS[MORE_KEYS + 1], KEYS[MORE_KEYS + 2], KEYS[MORE_KEYS + 3], KEYS[MORE_KEYS + 4]
local DUE2, WAITING2, UNPROVEN2, ID_SLOTS2 = KEYS[MORE_KEYS + 5], KEYS[MORE_KEYS + 6], KEYS[MORE_KEYS + 7], KEYS[MORE_KEYS + 8]

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
local function settled()
  local past = tonumber(redis.call('HGET', META2, 'past_said'))
  local first = tonumber(redis.call('ZRANGE', DUE2, 0, 0, 'WITHSCORES')[2])
  return redis.call('ZCARD', WAITING2) == 0 and not (past and first and first <= past)
end

-- The slots given are all that the lane has.
local function all_slots()
  for i = 5, #ARGV do
    if not redis.call('ZSCORE', ID_SLOTS2, ARGV[i]) then return false end
  end
  return redis.call('ZCARD', ID_SLOTS2) == #ARGV - 4
end

local function take_ids()
  for i = 5, #ARGV do
    local at = MORE_KEYS + 8 + 2 * (i - 5)
    redis.call('SUNIONSTORE', KEYS[at + 1], KEYS[at + 1], KEYS[at + 2])
    redis.call('ZADD', ID_SLOTS, redis.call('ZSCORE', ID_SLOTS2, ARGV[i]), ARGV[i])
  end
end

local function take_later(key, key2)
  local theirs = redis.call('HGETALL', key2)
  for i = 1, #theirs, 2 do
    local a, b = tonumber(redis.call('HGET', key, theirs[i])), tonumber(theirs[i + 1])
    if b and (not a or b > a) then redis.call('HSET', key, theirs[i], int(b)) end
  end
end

if redis.call('HEXISTS', STATE, 'lane:' .. ARGV[3]) == 0 or not in_step() or not caught_up() or not settled()
   or not all_slots() then
  return reply('APART')
end
take_ids()
take_later(HIGHS, HIGHS2)
take_later(IDLES, IDLES2)
local a, b = tonumber(redis.call('HGET', META, 'said')), tonumber(redis.call('HGET', META2, 'said'))
if a and b and b < a then redis.call('HSET', META, 'said', int(b)) end
redis.call('SUNIONSTORE', UNPROVEN, UNPROVEN, UNPROVEN2)
redis.call('HDEL', STATE, 'lane:' .. ARGV[3])
redis.call('HSET', STATE, 'rake:' .. ARGV[3], '1', 'epoch', ARGV[4])
return reply('JOINED')
