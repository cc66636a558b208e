-- A part of the bases, or of the journal's fields, for a mirror that begins. Between the parts Redis must not have lost
-- anything: the tail of the part before must be in the journal still.
-- ARGV 6 'bases' or 'journal', 7 cursor of HSCAN. Reply: RELOAD; LOAD, number and version of the last entry, next cursor, names and
--      values in turn.
if not same_epoch() then return {'EPOCH'} end
local bases = ARGV[6] == 'bases'
local known, last, version = tonumber(ARGV[3]), last_entry()
local own = known > 0 and redis.call('HGET', JOURNAL, ARGV[3])
if known > last or (own and string.sub(own, 1, VERSION_BYTES) ~= ARGV[4]) or (known > 0 and not own) then
  return reply('RELOAD')
end
local part = redis.call('HSCAN', bases and BASES or JOURNAL, ARGV[7], 'COUNT', bases and 1000 or 20)
local r = reply('LOAD')
r[4], r[5], r[6], r[7] = int(last), version, part[1], part[2]
return r
