-- What a state made anew would have to know (docs/once.md), and partitions' marks to keep.
-- ARGV 6 how long the record is kept, 7 the longest lookback of any rule, 8 what all shards had said when they were last
--      asked ('' not known, 'own' there is no other), 9 when the first window is due ('' none), 10 what
--      was said when the first of those that want judging began to wait ('' none waits, '-inf' not known),
--      11 who asks for a turn ('' nobody); then for each partition: its name, its marks.
-- Reply: STALE; HORIZON, said, record, from ('' not known), before which nothing is said by what begins to wait from now on.
-- While a state is being made anew, it stays as it was before the loss.
if not same_epoch() then return {'EPOCH'} end
if not may_write(ARGV[11]) then return stale() end
for i = 12, #ARGV, 2 do redis.call('HSET', MARKS, ARGV[i], ARGV[i + 1]) end
local r = reply('HORIZON')
local kept = redis.call('HMGET', META, 'said', 'record', 'from')
local known, record, from = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3])

-- A lane keeps nothing of its own here.
local own, live = STATE == META, nil
if own then
  redis.call('HSET', STATE, 'spoken', int(now_ms()))
  local fields = redis.call('HGETALL', STATE)
  for i = 1, #fields, 2 do
    local kind, name = string.match(fields[i], '^(%a+):(.*)$')
    if kind == 'rule' then
      live = live or {}
      live[fields[i + 1] == '' and name or name .. ' ' .. fields[i + 1]] = true
    end
  end
end

local function first_score(key)
  local score = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return score == '-inf' and -math.huge or tonumber(score)
end

-- Everything with a time before it was judged: a window that is due at t says nothing of before t - 1, one that waits
-- nothing of before what was told when it began to wait. First without those: new records are behind the watermark. Both bounds
-- move on also where there is always something that waits, or is not delivered.
local function judged()
  local at, due, waits = tonumber(r[2]), tonumber(ARGV[9]), ARGV[10] == '-inf' and -math.huge or tonumber(ARGV[10])
  if at and due then at = math.min(at, due - 1) end
  return at, at and waits and math.min(at, waits) or at
end

local function forget_episodes(before)
  local over = redis.call('ZRANGEBYSCORE', ENDED, '-inf', '(' .. int(before), 'LIMIT', 0, 1000)
  in_pieces(#over, function(a, b)
    redis.call('ZREM', EPISODES, unpack(over, a, b))
    redis.call('ZREM', ENDED, unpack(over, a, b))
  end)
end

-- Nothing is to be made again for a rule that is gone: its episodes hold nothing back.
local function forget_gone()
  for _ = 1, live and 100 or 0 do
    local first = redis.call('ZRANGE', EPISODES, 0, 0)[1]
    local name = first and string.match(first, '^%S+ (.+)$')
    if not name or live[name] then return end
    redis.call('ZREM', EPISODES, first)
    redis.call('ZREM', ENDED, first)
  end
end

-- Delivery gives up after three days: an entry older than that is one of a sink that is configured no more.
local function forget_unsent(before)
  for _ = 1, 100 do
    local first = redis.call('ZRANGE', UNSENT, 0, 0)[1]
    local ms = first and tonumber(string.match(first, ' (%d+)%-%d+$'))
    if not ms or ms >= before then return end
    redis.call('ZREM', UNSENT, first)
  end
end

local free, at = judged()
forget_unsent(now_ms() - 4 * 86400000)
forget_gone()
if at and (not known or at >= known) then
  if at > -math.huge then redis.call('HSET', META, 'judged', int(at)) end
  at = math.max(math.min(at, first_score(UNSENT) or at), known or -math.huge)
  if at > -math.huge then
    known = at
    redis.call('HSET', META, 'said', int(known))
    local all = ARGV[8] == 'own' and known or tonumber(ARGV[8])
    if all then record = math.max(math.min(known, all) - tonumber(ARGV[6]), record or -math.huge) end
    if record then
      if own then forget_episodes(record) end
      from = math.min(record - tonumber(ARGV[7]), first_score(EPISODES) or math.huge)
      redis.call('HSET', META, 'record', int(record), 'from', int(from))
    end
  end
end
if free and known then free = math.max(free, known) end
r[4], r[5], r[6] = known and int(known) or '', record and int(record) or '', from and int(from) or ''
r[7] = free and int(free) or ''
return r
