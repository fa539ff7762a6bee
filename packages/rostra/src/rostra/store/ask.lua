-- ARGV: id, event without its place, most questions of a debate
-- A question of the human moderator's: it stands behind the last turn, once.
local id, event, most = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3])
local status = field(id, 'status')
if not status then return { 'missing' } end
if ENDED[status] then return { status } end
event.seq = tonumber(field(id, 'turns_done'))
for _, entry in ipairs(redis.call('XREVRANGE', debate_key(id) .. ':events', '+', '-', 'COUNT', 16)) do
  local past = cjson.decode(entry[2][2])
  local same = past.seq == event.seq and past.text == event.text and past.to == event.to
  -- The client's retry, or a person's.
  if past.type == event.type and (same or past.at == event.at) then return { 'done' } end
end
if tonumber(field(id, 'questions') or 0) >= most then return { 'full' } end
redis.call('HINCRBY', debate_key(id), 'questions', 1)
note(id, cjson.encode(event))
return { 'done' }
