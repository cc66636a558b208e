-- Put before every script of the store. The keys of a shard, in every call:
local META, CURSORS, HIGHS, IDLES, ATS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local WINDOWS, DUE, WAITING, ID_SLOTS, UNPROVEN = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local LASTS, MARKS, SEEN, UNSENT, EPISODES, ENDED = KEYS[11], KEYS[12], KEYS[13], KEYS[14], KEYS[15], KEYS[16]
-- STATE: META of the shard itself; where a lane is called, META and what belongs to a position are the lane's.
local STATE = KEYS[17]
local MORE_KEYS = 17 -- those of a single script come behind
-- Arguments of every call: 1 epoch, 2 time.lateness in ms.
-- Every reply begins: outcome, watermark ('' none), now, next due time ('' none), windows waiting,
-- windows that wait for proof.

local function int(n)
  return string.format('%d', n)
end

-- One clock for all, never backwards, also where another server took over.
local function now_ms()
  local t = redis.call('TIME')
  local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  return math.max(now, tonumber(redis.call('HGET', STATE, 'clock')) or 0)
end

-- The minimum over all partitions, never backwards; nil while one of them has shown nothing.
local function watermark()
  local stored = tonumber(redis.call('HGET', META, 'watermark'))
  local highs, lateness, idles, low = redis.call('HGETALL', HIGHS), tonumber(ARGV[2]), {}, nil
  local pairs_ = redis.call('HGETALL', IDLES)
  for i = 1, #pairs_, 2 do idles[pairs_[i]] = tonumber(pairs_[i + 1]) end
  for i = 1, #highs, 2 do
    local high, idle = tonumber(highs[i + 1]), idles[highs[i]]
    local w = high and high - lateness
    if idle and (not w or idle > w) then w = idle end
    if not w then return stored end
    if not low or w < low then low = w end
  end
  if low and (not stored or low > stored) then
    redis.call('HSET', META, 'watermark', int(low))
    return low
  end
  return stored
end

local function reply(outcome)
  local w = watermark()
  local first = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
  return {outcome, w and int(w) or '', int(now_ms()), first[2] and int(first[2]) or '',
          redis.call('ZCARD', WAITING),
          redis.call('SCARD', UNPROVEN)}
end

-- Everything that is still to be said has its place in time here or later (horizon.lua); '-inf': not known.
local function said()
  local ms = redis.call('HGET', META, 'said')
  return ms and ms ~= '' and ms or '-inf'
end

local function same_epoch()
  return redis.call('HGET', STATE, 'epoch') == ARGV[1]
end

-- So many windows of these names are no more.
local function count_out(gone)
  for name, number in pairs(gone) do
    if redis.call('HINCRBY', STATE, 'keys ' .. name, -number) <= 0 then redis.call('HDEL', STATE, 'keys ' .. name) end
  end
end

-- The rule's name and layout, with which a window's head begins; STATE's `keys NAME` says how many windows have it.
local function windows_name(head)
  return string.sub(head, 3, 2 + struct.unpack('<I2', head))
end

-- A window is a header (version 8 bytes, number of records u32, their bytes u32, pieces u8) and a body. In a new window
-- 255 pieces stand for none, and that it lapses: it has one record, and in the place of their number the second at which
-- it is due and is forgotten unheard (DUE alone may have the time of a window that was there before). The body stands
-- behind the header or, where the window grew, in so many fields of its own: what is there is neither read nor written
-- to add to it. Every byte that passes through Lua costs, and most of all those of long windows.
local HEADER_BYTES, LAPSES = 17, 255

local function header_of(version, records, bytes, pieces)
  return version .. struct.pack('<I4I4B', records, bytes, pieces)
end

local function lapses(header)
  return string.byte(header, HEADER_BYTES) == LAPSES
end

-- How many records, and their bytes.
local function records_of(header)
  local n, bytes = struct.unpack('<I4I4', header, 9)
  return lapses(header) and 1 or n, bytes
end

local function pieces_of(header)
  local pieces = string.byte(header, HEADER_BYTES) or 0 -- none where it is damaged, which its reader says
  return pieces == LAPSES and 0 or pieces
end

-- The fields of pieces `from` to `to`.
local function piece_names(id, from, to)
  local names = {}
  for i = from, to do names[#names + 1] = id .. string.char(i) end
  return names
end

-- The command with many arguments, in even pieces, for the same reason.
local function call_all(command, key, args)
  for from = 1, #args, 1000 do redis.call(command, key, unpack(args, from, math.min(from + 999, #args))) end
end

-- f(arguments from, to) for pieces of at most 500, since a call takes a bounded number of values.
local function in_pieces(n, f)
  for from = 1, n, 500 do f(from, math.min(from + 499, n)) end
end

-- Windows as they are answered: each its header and its pieces.
local function windows_of(ids, headers)
  local names, values, found, at = {}, {}, {}, 0
  for i = 1, #ids do
    for _, name in ipairs(piece_names(ids[i], 1, pieces_of(headers[i]))) do names[#names + 1] = name end
  end
  in_pieces(#names, function(from, to)
    for _, value in ipairs(redis.call('HMGET', WINDOWS, unpack(names, from, to))) do values[#values + 1] = value end
  end)
  for i = 1, #ids do
    found[i] = {headers[i]}
    for _ = 1, pieces_of(headers[i]) do
      at = at + 1
      found[i][#found[i] + 1] = values[at]
    end
  end
  return found
end
