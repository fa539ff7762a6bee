-- ARGV: id, seconds until it is looked at again
local id, seconds = unpack(ARGV)
redis.call('ZADD', P .. 'webhooks', 'XX', seconds_now() + seconds, id)
return { 'done' }
