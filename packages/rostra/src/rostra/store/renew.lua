-- ARGV: id, fence, process
local id, fence, process = unpack(ARGV)
if not holds(id, fence, process) then return { 'fenced' } end
renew(id, fence, process)
return { 'held', field(id, 'wish') }
