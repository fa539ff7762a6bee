-- ARGV: id, fence, process, status to leave it in (queued or paused), event
local id, fence, process, to, event = unpack(ARGV)
if not holds(id, fence, process) then return { 'fenced' } end
-- A pause takes a moment; who cancelled or resumed the debate meanwhile was told that it would be done.
local wish = field(id, 'wish')
if to == 'paused' and wish ~= 'pause' then return { 'unwanted', wish } end
note(id, event)
redis.call('HSET', debate_key(id), 'lease', '')
if to == 'paused' then redis.call('HSET', debate_key(id), 'wish', '') end
redis.call('HINCRBY', debate_key(id), 'stalls', -1)  -- giving a debate back in good order is no failed try
move(id, to)
return { 'released' }
