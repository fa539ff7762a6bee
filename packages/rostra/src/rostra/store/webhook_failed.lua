-- ARGV: id, event that it is done with, how often the next was tried, why it was not taken, seconds until it is tried again
-- ('' for never)
local id, cursor, tries, why, seconds = unpack(ARGV)
if redis.call('HGET', webhook_key(id), 'cursor') ~= cursor then return { 'overtaken' } end
redis.call('HSET', webhook_key(id), 'tries', tries, 'error', why)
redis.call('HINCRBY', P .. 'webhook_messages', 'failed', 1)
if seconds == '' then
  redis.call('HSET', webhook_key(id), 'status', 'failed')
  redis.call('HINCRBY', P .. 'webhook_messages', 'given_up', 1)
  redis.call('ZREM', P .. 'webhooks', id)
else
  redis.call('ZADD', P .. 'webhooks', 'XX', seconds_now() + seconds, id)
end
return { 'done' }
