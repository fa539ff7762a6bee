-- ARGV: id, fence, process, until when (s), event
-- Gives the debate back to wait for a person's words, which the event names.
local id, fence, process, until_, event = unpack(ARGV)
if is_noted(id, event) then return { 'waits' } end  -- the client's retry
if not holds(id, fence, process) then return { 'fenced' } end
local wish = field(id, 'wish')
if wish ~= '' then return { 'unwanted', wish } end
note(id, event)
move(id, 'waiting')
redis.call('HSET', debate_key(id), 'lease', '', 'awaits', event)
redis.call('ZADD', P .. 'awaited', until_, id)
redis.call('HINCRBY', debate_key(id), 'stalls', -1)  -- giving a debate back in good order is no failed try
return { 'waits' }
