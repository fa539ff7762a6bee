-- ARGV: id, process, claimed at, event
local id, process, now, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if not LIVE[status] then return { status } end
local held = lease_of(id)
if held == lease_for(id, process) then return claimed(id) end  -- the client's retry
if held ~= '' then return { 'leased' } end
return take(id, process, now, event)
