-- Makes the state at first start, reads it later, makes partitions known, and puts other rules in place.
-- ARGV 1 epoch for a new state ('' make none), 2 time.lateness, 3..5 what is known of the state before it ('' nothing):
--      said, record, from (see window_store.h); 6 ms after which a partition that is not named and that nobody
--      touched holds the watermark no more;
--      7 'impose': other rules than these are replaced, 'keep': only where nobody keeps them up, '': rules are not asked
--      for; 8 a new epoch for that, whose first 8 bytes name a lane; 9 the generation in which these rules were in place
--      last; 10 ms after which rules of whose processes nothing is heard are kept up by nobody; 11 number of rules, for
--      each: its windows' name, how far it looks back; then names of partitions.
-- KEYS, more: meta and highs of the lane of that name.
-- Reply: OPENED, watermark, now, the epoch ('' there is none), said, record, from, the epoch that the state was made with,
--        generation, '1': its rules are these, number of lanes, their names, for each rule the lane that filled it.
local epoch = redis.call('HGET', STATE, 'epoch')
local META2, HIGHS2, lane = KEYS[MORE_KEYS + 1], KEYS[MORE_KEYS + 2], string.sub(ARGV[8], 1, 8)
local asked, fresh, accepted, rules_n = ARGV[7], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[11])
local partitions_at = 12 + 2 * rules_n
local now = now_ms()

local own = {}
for i = 12, partitions_at - 1, 2 do own[ARGV[i]] = tonumber(ARGV[i + 1]) end

local function set_rule(name, by) redis.call('HSET', STATE, 'rule:' .. name, by) end

if not epoch and ARGV[1] ~= '' then
  epoch = ARGV[1]
  redis.call('HSET', META, 'epoch', epoch, 'made', epoch, 'past_said', ARGV[3], 'past_record', ARGV[4], 'past_from', ARGV[5],
             'said', ARGV[3], 'record', ARGV[4], 'from', ARGV[5],
             'generation', int(math.max(1, accepted)), 'spoken', int(now))
  for name in pairs(own) do set_rule(name, '') end
end

local rules, lanes, generation, spoken = {}, {}, 0, 0
local function read_rules()
  rules, lanes = {}, {}
  local fields = redis.call('HGETALL', STATE)
  for i = 1, #fields, 2 do
    local kind, name = string.match(fields[i], '^(%a+):(.*)$')
    if kind == 'rule' then rules[name] = fields[i + 1] end
    if kind == 'lane' then lanes[#lanes + 1] = name end
  end
  local kept = redis.call('HMGET', STATE, 'generation', 'spoken')
  generation, spoken = tonumber(kept[1]) or 0, tonumber(kept[2]) or 0
end

local function mine()
  for name in pairs(own) do if not rules[name] then return false end end
  for name in pairs(rules) do if not own[name] then return false end end
  return true
end

-- New rules read what they need of the past in a lane: it begins `lookback` before the watermark, says and records nothing
-- of before it, and waits for every partition from the beginning.
local function make_lane(lookback)
  local w, floor = watermark(), tonumber(redis.call('HGET', META, 'past_said'))
  if floor and (not w or floor > w) then w = floor end
  local said, from = w and int(w) or '', w and int(w - lookback) or ''
  redis.call('HSET', META2, 'past_said', said, 'past_record', said, 'past_from', from,
             'said', said, 'record', said, 'from', from)
  for i = partitions_at, #ARGV do redis.call('HSET', HIGHS2, ARGV[i], '') end
  redis.call('HSET', STATE, 'lane:' .. lane, said)
end

local function impose()
  local lookback, used = nil, {}
  for name, back in pairs(own) do
    if rules[name] then
      used[rules[name]] = true
    else
      set_rule(name, lane)
      lookback = math.max(lookback or 0, back)
    end
  end
  for name in pairs(rules) do
    if not own[name] then redis.call('HDEL', STATE, 'rule:' .. name) end
  end
  for _, name in ipairs(lanes) do -- all of whose rules are gone
    if not used[name] then
      redis.call('HDEL', STATE, 'lane:' .. name)
      redis.call('HSET', STATE, 'rake:' .. name, '1')
      append(string.sub(fresh, 9, 8 + VERSION_BYTES), {'j', name}, {})
    end
  end
  if lookback then make_lane(lookback) end
  epoch = fresh
  redis.call('HSET', STATE, 'epoch', epoch, 'generation', int(math.max(generation, accepted) + 1), 'spoken', int(now))
  read_rules()
end

if epoch and asked ~= '' then
  read_rules()
  local free = asked == 'impose' or generation < accepted or now - spoken > tonumber(ARGV[10])
  if free and not mine() then impose() end
end

local named = {}
for i = partitions_at, #ARGV do
  local partition = ARGV[i]
  named[partition] = true
  if epoch and redis.call('HEXISTS', HIGHS, partition) == 0 then
    local kept = redis.call('HGET', META, 'retired:' .. partition)
    redis.call('HSET', HIGHS, partition, kept or '')
    redis.call('HDEL', META, 'retired:' .. partition)
    redis.call('HSET', SEEN, partition, int(now))
  end
end

-- A partition of a topic that is gone. Should it come back, its largest event time is still known.
local function retire(partition, high)
  local touched = math.max(tonumber(redis.call('HGET', SEEN, partition)) or 0,
                           tonumber(redis.call('HGET', ATS, partition)) or 0)
  if named[partition] or now - touched < tonumber(ARGV[6]) then return end
  redis.call('HSET', META, 'retired:' .. partition, high)
  redis.call('HDEL', HIGHS, partition)
  redis.call('HDEL', IDLES, partition)
end
if #ARGV >= partitions_at then
  local highs = redis.call('HGETALL', HIGHS)
  for i = 1, #highs, 2 do retire(highs[i], highs[i + 1]) end
end

local r = reply('OPENED')
local past = redis.call('HMGET', META, 'past_said', 'past_record', 'past_from')
r[4], r[5], r[6], r[7] = epoch or '', past[1] or '', past[2] or '', past[3] or ''
r[8], r[9], r[10] = redis.call('HGET', STATE, 'made') or '', int(generation), (asked == '' or mine()) and '1' or '0'
r[11] = int(#lanes)
for _, name in ipairs(lanes) do r[#r + 1] = name end
for i = 12, partitions_at - 1, 2 do r[#r + 1] = rules[ARGV[i]] or '' end
return r
