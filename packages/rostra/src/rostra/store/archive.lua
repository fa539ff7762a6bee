-- ARGV: id, how many events it has, all of them compressed
local id, events, archive = unpack(ARGV)
local stream = debate_key(id) .. ':events'
if not ENDED[field(id, 'status') or ''] or redis.call('XLEN', stream) ~= tonumber(events) then return { 'changed' } end
redis.call('SET', debate_key(id) .. ':archive', archive)
redis.call('DEL', stream)
redis.call('ZREM', P .. 'uncompressed', id)
return { 'done' }
