-- ARGV: id, turn (0: the one that is awaited), event without turn and debater
-- A person's words for the turn that the debate waits for. They count once, whoever sends them and however often.
local id, seq, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
seq, event = tonumber(seq), cjson.decode(event)

-- The words that were given for a turn: they stand behind the turn before it.
local function given(turn)
  local before = string.format('%d', turn - 1)
  for _, entry in ipairs(redis.call('XRANGE', debate_key(id) .. ':events', before, before)) do
    local past = cjson.decode(entry[2][2])
    if past.type == 'turn_given' and past.seq == turn then return past.text end
  end
end

local last = tonumber(field(id, 'given') or 0)
local said = (seq > 0 or last > 0) and given(seq > 0 and seq or last)
local awaits = awaited(id)
if said == event.text then
  -- Without a number it may be a request that is sent again, or the same words for the turn that is awaited now.
  return { seq == 0 and awaits and 'again' or 'same', status }
end
if not awaits or (seq > 0 and awaits.seq ~= seq) then return { said and seq > 0 and 'other' or 'unawaited', status } end
event.seq, event.debater = awaits.seq, awaits.debater
note(id, cjson.encode(event))
redis.call('HSET', debate_key(id), 'given', awaits.seq)
move(id, 'queued')
return { 'given', tonumber(field(id, 'fence')) + 1 }
