-- ARGV: how many at most, seconds that nobody else gets them for
-- Webhooks that are due, the one that waits longest first.
local most, seconds = unpack(ARGV)
local now = seconds_now()
local ids = redis.call('ZRANGEBYSCORE', P .. 'webhooks', '-inf', now, 'LIMIT', 0, most)
for _, id in ipairs(ids) do redis.call('ZADD', P .. 'webhooks', now + seconds, id) end
return ids
