-- ARGV: id, event that it is done with, whether that was the debate's last (1)
-- Lets a webhook rest until something happens, unless it has.
local id, cursor, ended = unpack(ARGV)
local at, status = unpack(redis.call('HMGET', webhook_key(id), 'cursor', 'status'))
if at and at ~= cursor then return { 'overtaken' } end
if status == 'pending' then
  local last = last_event(id)
  if ended == '1' then
    redis.call('HSET', webhook_key(id), 'status', 'delivered')
  elseif last and last ~= cursor then
    return { 'more' }
  end
end
redis.call('ZREM', P .. 'webhooks', id)
return { 'rests' }
