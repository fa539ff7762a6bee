-- ARGV: id, event without its place
-- A question of the human moderator's: it stands behind the last turn, once.
local id, event = ARGV[1], cjson.decode(ARGV[2])
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
note(id, cjson.encode(event))
return { 'done' }
