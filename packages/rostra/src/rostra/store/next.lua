-- ARGV: id that the wake-up call named, process, claimed at, event, debates that one owner may have played at once (0: any)
-- A debate that lost its player comes first, if it was named. Else the owner who has least played at the moment gets the
-- turn, of several the one who was served longest ago, with the oldest debate that waits.
local named, process, now, event, most = unpack(ARGV)
most = tonumber(most)
for _, id in ipairs(redis.call('ZRANGE', P .. 'status:running', 0, -1)) do
  if lease_of(id) == lease_for(id, process) then return claimed(id) end  -- the client's retry
end
if field(named, 'status') == 'running' and lease_of(named) == '' then return take(named, process, now, event) end
local chosen, fewest, longest_ago
for _, owner in ipairs(redis.call('SMEMBERS', P .. 'waiting')) do
  local running = redis.call('ZCARD', owner_key(owner, 'running'))
  local served = tonumber(redis.call('ZSCORE', P .. 'served', owner) or 0)
  local better = not chosen or running < fewest or (running == fewest and served < longest_ago)
  if better and (most == 0 or running < most) then
    chosen, fewest, longest_ago = owner, running, served
  end
end
if not chosen then return { 'idle' } end
local id = redis.call('ZRANGE', owner_key(chosen, 'queued'), 0, 0)[1]
local answer = take(id, process, now, event)
redis.call('ZADD', P .. 'served', redis.call('INCR', P .. 'claims'), chosen)
return answer
