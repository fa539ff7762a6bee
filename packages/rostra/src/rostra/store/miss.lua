-- ARGV: event without turn and debater
-- Lets those debates go on whose person gave no words in time; answers with their ids and next fences.
local event = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = string.format('%d.%06d', time[1], time[2])
local missed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'awaited', '-inf', now, 'LIMIT', 0, 100)) do
  local awaits = awaited(id)
  event.seq, event.debater = awaits.seq, awaits.debater
  note(id, cjson.encode(event))
  move(id, 'queued')
  missed[#missed + 1] = { id, tonumber(field(id, 'fence')) + 1 }
end
return missed
