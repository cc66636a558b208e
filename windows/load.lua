-- A part of the bases, or of the journal's fields, or the names of these, for a mirror that begins. Between the parts Redis must
-- not have lost anything: the tail of the part before must be in the journal still.
-- ARGV 6 'bases', 'journal' or 'names', 7 cursor of HSCAN. Reply: RELOAD; LOAD, number and version of the last entry, next cursor,
--      names and values in turn, or names.
if not same_epoch() then return {'EPOCH'} end
local known, last, version = tonumber(ARGV[3]), last_entry()
local own = known > 0 and redis.call('HGET', JOURNAL, ARGV[3])
if known > last or (own and string.sub(own, 1, VERSION_BYTES) ~= ARGV[4]) or (known > 0 and not own) then
  return reply('RELOAD')
end
local parts = {
  bases = function() return redis.call('HSCAN', BASES, ARGV[7], 'COUNT', 1000) end,
  journal = function() return redis.call('HSCAN', JOURNAL, ARGV[7], 'COUNT', 20) end,
  names = function() return {'0', redis.call('HKEYS', JOURNAL)} end,
}
local part = parts[ARGV[6]]()
local r = reply('LOAD')
r[4], r[5], r[6], r[7] = int(last), version, part[1], part[2]
return r
