-- ARGV: id, event
local id, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if status == 'paused' then
  note(id, event)
  redis.call('HSET', debate_key(id), 'stalls', 0)
  move(id, 'queued')
  return { 'done', tonumber(field(id, 'fence')) + 1 }
end
if LIVE[status] and field(id, 'wish') == 'pause' then
  redis.call('HSET', debate_key(id), 'wish', '')
  return { 'kept' }
end
return { status }
