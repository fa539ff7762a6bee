-- ARGV: id, event, most that wait of its owner, and in all (0: any number)
local id, event, most_own, most = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if status == 'paused' then
  local full = no_room(owner_of(id), most_own, most)
  if full then return { full } end
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
