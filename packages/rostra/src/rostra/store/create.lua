-- ARGV: id, spec, turns planned, created at, event, owner, idempotency key's hash ('' for none), request's hash, key's life (s),
-- most that wait of this owner, and in all (0: any number), whether it has a webhook (1), then the events that it begins with:
-- of each its seq (0 for what is no turn) and itself
local id, spec, planned, now, event, owner, idempotency, request, life, most_own, most, webhook = unpack(ARGV, 1, 12)
if idempotency ~= '' then
  local stored = redis.call('HMGET', P .. 'idempotency:' .. idempotency, 'request', 'id')
  if stored[1] then
    return { stored[1] == request and 'same' or 'other', stored[2] }
  end
end
if redis.call('EXISTS', debate_key(id)) == 1 then return { 'created', id } end  -- the client's retry
local full = no_room(owner, most_own, most)
if full then return { full, id } end
redis.call('HSET', debate_key(id), 'spec', spec, 'owner', owner, 'turns_done', 0, 'turns_planned', planned, 'fence', 0,
  'stalls', 0, 'wish', '', 'lease', '', 'beat', 0, 'reason', '', 'created_at', now, 'prompt_tokens', 0, 'completion_tokens', 0)
move(id, 'queued')
redis.call('ZADD', P .. 'debates', 0, id)
redis.call('ZADD', owner_key(owner, 'debates'), 0, id)
note(id, event)
for place = 13, #ARGV, 2 do
  if ARGV[place] == '0' then
    note(id, ARGV[place + 1])
  else
    redis.call('XADD', debate_key(id) .. ':events', ARGV[place] .. '-0', 'event', ARGV[place + 1])
    redis.call('HSET', debate_key(id), 'turns_done', ARGV[place])
  end
end
if idempotency ~= '' then
  redis.call('HSET', P .. 'idempotency:' .. idempotency, 'request', request, 'id', id)
  redis.call('EXPIRE', P .. 'idempotency:' .. idempotency, life)
end
-- What it begins with is told to nobody.
if webhook == '1' then redis.call('HSET', webhook_key(id), 'status', 'pending', 'cursor', last_event(id)) end
return { 'created', id }
