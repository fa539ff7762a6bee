-- ARGV: id, event
local id, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if status == 'paused' then
  redis.call('HSET', debate_key(id), 'stalls', 0)
  note(id, event)
  move(id, 'queued')
  redis.call('SET', P .. 'woken:' .. id, 1, 'PX', 5000)
  return { 'done', tonumber(field(id, 'fence')) + 1 }
end
if LIVE[status] and field(id, 'wish') == 'pause' then
  redis.call('HSET', debate_key(id), 'wish', '')
  return { 'kept' }
end
return { status }
