-- ARGV: id, fence, owner, status, reason, ended at, event
local id, fence, owner, status, reason, now, event = unpack(ARGV)
if ENDED[field(id, 'status')] then return { 'ended' } end  -- the client's retry
if not holds(id, fence, fence .. ':' .. owner) then return { 'fenced' } end
finish(id, status, reason, now, event)
return { 'ended' }
