-- What was written since the entry that is known.
-- Reply: as stale() says, with SYNC in the place of STALE.
if not same_epoch() then return {'EPOCH'} end
local r = stale()
if r[1] == 'STALE' then r[1] = 'SYNC' end
return r
