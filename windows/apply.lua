-- Applies a batch iff the partition's cursor stands at its start and nothing was written to the journal that who calls does not
-- know: entry, watermark and cursor move together, or nothing does.
-- ARGV 6 partition, 7 start, 8 next (incarnation of the log:offset, as cursors are), 9 high ('' none), 10 '1' if events were read,
--      11 earliest accepted time ('' none), 12 offset and hash of the last record ('' none), 13 records that retention
--      deleted unread, 14 version of the new entry, 15 who asks for a turn ('' nobody), 16 number of fields: names and
--      values; then names of fields to drop.
-- Reply: MISPLACED; BEHIND; STALE; APPLIED.
local partition, high, fields_n = ARGV[6], ARGV[9], tonumber(ARGV[16])
if not same_epoch() then return {'EPOCH'} end
if redis.call('HGET', CURSORS, partition) ~= ARGV[7] then return reply('MISPLACED') end
if settled and ARGV[11] ~= '' and tonumber(ARGV[11]) < settled then return reply('BEHIND') end
if not may_write(ARGV[15]) then return stale() end

if fields_n > 0 then
  append(ARGV[14], args_between(17, 16 + 2 * fields_n), args_between(17 + 2 * fields_n, #ARGV))
end
redis.call('HSET', CURSORS, partition, ARGV[8])
if high ~= '' then redis.call('HSET', HIGHS, partition, high) end
local now = int(now_ms())
redis.call('HSET', META, 'clock', now)
if ARGV[10] == '1' then redis.call('HSET', ATS, partition, now) end
if ARGV[12] ~= '' then redis.call('HSET', LASTS, partition, ARGV[12]) end
if ARGV[13] ~= '0' then redis.call('HINCRBY', META, 'lost', ARGV[13]) end
return reply('APPLIED')
