-- ARGV: id, fence, process, status, reason, ended at, event
local id, fence, process, status, reason, now, event = unpack(ARGV)
if ENDED[field(id, 'status')] then return { 'ended' } end  -- the client's retry
if not holds(id, fence, process) then return { 'fenced' } end
finish(id, status, reason, now, event)
return { 'ended' }
