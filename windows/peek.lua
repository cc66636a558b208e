-- Windows as they are. ARGV 3..: their ids. Reply: PEEKED, those that are there: each a header and its pieces.
if not same_epoch() then return {'EPOCH'} end
local r = {'PEEKED', '', '', '', 0, 0}
in_pieces(#ARGV - 2, function(from, to)
  local values, ids, headers = redis.call('HMGET', WINDOWS, unpack(ARGV, from + 2, to + 2)), {}, {}
  for i = 1, to - from + 1 do
    if values[i] then ids[#ids + 1], headers[#headers + 1] = ARGV[from + i + 1], values[i] end
  end
  for _, window in ipairs(windows_of(ids, headers)) do r[#r + 1] = window end
end)
return r
