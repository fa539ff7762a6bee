-- ARGV: id
local id = ARGV[1]
local status = field(id, 'status')
if not status then return { 'missing' } end
if not ENDED[status] then return { status } end
redis.call('ZREM', P .. 'debates', id)
redis.call('ZREM', P .. 'status:' .. status, id)
redis.call('DEL', debate_key(id), debate_key(id) .. ':events', debate_key(id) .. ':deltas', P .. 'woken:' .. id)
return { 'done' }
