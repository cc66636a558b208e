-- What was written since the entry that is known, some megabytes at a time.
-- Reply: SYNC, number and version of the last entry that is there, of the last one told, then names and values of fields; or
--        RELOAD: that entry is none of this journal, or too old.
if not same_epoch() then return {'EPOCH'} end
local MOST_BYTES = 4000000
local known, last, version = tonumber(ARGV[3]), last_entry()
local function of(number) return redis.call('HGET', JOURNAL, int(number)) end

local function reload()
  local r = reply('RELOAD')
  r[4], r[5] = int(last), version
  return r
end

local own = known > 0 and of(known)
if known > last or (known == 0 and last > 0) or (known > 0 and not own)
   or (own and string.sub(own, 1, VERSION_BYTES) ~= ARGV[4]) then
  return reload()
end
local fields, bytes, number, told = {}, 0, known, ARGV[4]
while number < last and bytes < MOST_BYTES do
  number = number + 1
  local entry = of(number)
  told = string.sub(entry, 1, VERSION_BYTES)
  for name in string.gmatch(string.sub(entry, VERSION_BYTES + 1), '[^\n]+') do
    local field = int(number) .. ' ' .. name
    local value = redis.call('HGET', JOURNAL, field)
    if not value then return reload() end -- it was dropped: too old
    fields[#fields + 1], fields[#fields + 2] = field, value
    bytes = bytes + #value
  end
end
local r = reply('SYNC')
r[4], r[5], r[6], r[7] = int(last), version, int(number), told
for i = 1, #fields do r[7 + i] = fields[i] end
return r
