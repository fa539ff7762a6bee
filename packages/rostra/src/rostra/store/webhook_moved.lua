-- ARGV: id, event that it was done with before, event that it is done with now, whether a message was taken (1), seconds
-- that nobody else gets it for
local id, from, to, taken, seconds = unpack(ARGV)
local at = redis.call('HGET', webhook_key(id), 'cursor')
if at == to then return { 'moved' } end  -- the client's retry
if at ~= from then return { 'overtaken' } end
redis.call('HSET', webhook_key(id), 'cursor', to)
if taken == '1' then
  redis.call('HSET', webhook_key(id), 'tries', 0, 'error', '')
  redis.call('HINCRBY', webhook_key(id), 'taken', 1)
  redis.call('HINCRBY', P .. 'webhook_messages', 'taken', 1)
end
redis.call('ZADD', P .. 'webhooks', 'XX', seconds_now() + seconds, id)
return { 'moved' }
