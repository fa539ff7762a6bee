-- ARGV: id, status, when it ended (s; '' where it has not), its event of being restored
-- ('' for none), how many fields it has, fields and values, how many its webhook has, the same, then ids and events
-- Puts a debate back as a backup has it. One that is there is left alone. Nobody plays it, whatever was so.
local id, status, ended, event, fields = unpack(ARGV, 1, 5)
if redis.call('EXISTS', debate_key(id)) == 1 then return { 'there' } end
local place = 6
local function put(key, many)
  for _ = 1, tonumber(many) do
    redis.call('HSET', key, ARGV[place], ARGV[place + 1])
    place = place + 2
  end
end
put(debate_key(id), fields)
place = place + 1
put(webhook_key(id), ARGV[place - 1])
while ARGV[place] do
  happened(id, ARGV[place], ARGV[place + 1])
  place = place + 2
end
redis.call('ZADD', P .. 'debates', 0, id)
redis.call('ZADD', owner_key(owner_of(id), 'debates'), 0, id)
redis.call('HSET', debate_key(id), 'lease', '')
if ended ~= '' then
  redis.call('ZADD', P .. 'ended', ended, id)
  redis.call('ZADD', P .. 'uncompressed', ended, id)
end
if event ~= '' then
  note(id, event)
  redis.call('HSET', debate_key(id), 'stalls', 0)
end
move(id, status)
return { 'done' }
