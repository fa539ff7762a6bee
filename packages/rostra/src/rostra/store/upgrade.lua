-- ARGV: id, when it ended (s; '' where it has not)
-- Of a debate as version 1 stored it: no owner, the lease a key of its own, no index by owner or end. May be done twice.
local id, ended = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
for name, value in pairs({ owner = '', lease = '', beat = 0 }) do redis.call('HSETNX', debate_key(id), name, value) end
redis.call('ZADD', owner_key(owner_of(id), 'debates'), 0, id)
if ended ~= '' then
  redis.call('ZADD', P .. 'ended', ended, id)
  redis.call('ZADD', P .. 'uncompressed', ended, id)
end
move(id, status)
redis.call('DEL', debate_key(id) .. ':lease', P .. 'woken:' .. id)
return { 'done' }
