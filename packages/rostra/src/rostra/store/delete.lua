-- ARGV: id
local id = ARGV[1]
local status = field(id, 'status')
if not status then return { 'missing' } end
if not ENDED[status] then return { status } end
local owner = owner_of(id)
redis.call('DEL', webhook_key(id))
redis.call('ZREM', P .. 'webhooks', id)
for _, index in ipairs({ 'debates', 'ended', 'uncompressed', 'status:' .. status }) do redis.call('ZREM', P .. index, id) end
for _, index in ipairs({ 'debates', status }) do redis.call('ZREM', owner_key(owner, index), id) end
redis.call('DEL', debate_key(id), debate_key(id) .. ':events', debate_key(id) .. ':archive', debate_key(id) .. ':deltas')
return { 'done' }
