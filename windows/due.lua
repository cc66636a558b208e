-- Windows that want judging: those that wait since a change, and those whose due time the watermark reached.
-- ARGV 3 how many at most, 4 '1': also those that wait for proof. Reply: WINDOWS, how many due ones lapsed: they
--      were forgotten unheard; windows: each a header and its pieces.
if not same_epoch() then return {'EPOCH'} end
local limit, w = tonumber(ARGV[3]), watermark()
local lapsed, gone = {}, {}

-- What it is named stands behind its header.
local function lapsed_by_now(id, header)
  if not lapses(header) or w < struct.unpack('<I4', header, 9) * 1000 then return false end
  local name = windows_name(string.sub(header, HEADER_BYTES + 3))
  gone[name] = (gone[name] or 0) + 1
  lapsed[#lapsed + 1] = id
  return true
end

local ids, listed = {}, {}
local function list(more)
  for i = 1, #more do
    if not listed[more[i]] then listed[more[i]] = true; ids[#ids + 1] = more[i] end
  end
end
list(redis.call('ZRANGE', WAITING, 0, limit - 1))
if ARGV[4] == '1' then list(redis.call('SRANDMEMBER', UNPROVEN, limit)) end
local others = #ids
if w and #ids < limit then
  list(redis.call('ZRANGEBYSCORE', DUE, '-inf', int(w), 'LIMIT', 0, limit - #ids))
end
local some, headers = {}, {}
in_pieces(#ids, function(from, to)
  local got = redis.call('HMGET', WINDOWS, unpack(ids, from, to))
  for i = 1, to - from + 1 do
    if got[i] and not (from + i - 1 > others and lapsed_by_now(ids[from + i - 1], got[i])) then
      some[#some + 1], headers[#headers + 1] = ids[from + i - 1], got[i]
    elseif not got[i] then
      redis.call('ZREM', WAITING, ids[from + i - 1])
      redis.call('SREM', UNPROVEN, ids[from + i - 1])
      redis.call('ZREM', DUE, ids[from + i - 1])
    end
  end
end)
call_all('HDEL', WINDOWS, lapsed)
call_all('ZREM', DUE, lapsed)
count_out(gone)
-- About a megabyte at a time, at least one part.
local PART = 32
local r, bytes = reply('WINDOWS'), 0
r[7] = #lapsed
for from = 1, #some, PART do
  if bytes > 1000000 then break end
  local to = math.min(from + PART - 1, #some)
  for _, window in ipairs(windows_of({unpack(some, from, to)}, {unpack(headers, from, to)})) do
    r[#r + 1] = window
    for _, piece in ipairs(window) do bytes = bytes + #piece end
  end
end
return r
