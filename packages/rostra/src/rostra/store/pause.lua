-- ARGV: id, event
local id, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if not (LIVE[status] or status == 'waiting') then return { status } end
if field(id, 'wish') == 'cancel' then return { 'cancelled' } end
if lease_of(id) ~= '' then
  redis.call('HSET', debate_key(id), 'wish', 'pause')
  return { 'asked' }
end
note(id, event)
redis.call('HSET', debate_key(id), 'wish', '')  -- one that a worker did not live to see is fulfilled, too
move(id, 'paused')
return { 'done' }
