-- ARGV: id, fence, owner, lease (ms)
local id, fence, owner, lease_ms = unpack(ARGV)
local lease = fence .. ':' .. owner
if not holds(id, fence, lease) then return { 'fenced' } end
redis.call('SET', debate_key(id) .. ':lease', lease, 'PX', lease_ms)
return { 'held', field(id, 'wish') }
