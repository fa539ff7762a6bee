-- ARGV: id, now, event, reason
local id, now, event, reason = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if ENDED[status] then return { status } end
if lease_of(id) ~= '' then
  redis.call('HSET', debate_key(id), 'wish', 'cancel')
  return { 'asked' }
end
finish(id, 'cancelled', reason, now, event)
return { 'done' }
