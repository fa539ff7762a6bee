-- ARGV: id that the wake-up call named, process, claimed at, event, debates that one owner may have played at once (0: any)
-- A debate that lost its player comes first, whichever was named, so that it does not wait behind all that are queued.
-- Else the owner who has least played at the moment gets the turn, of several the one who was served longest ago, with
-- the oldest debate that waits.
local named, process, now, event, most = unpack(ARGV)
most = tonumber(most)
if redis.call('GET', P .. 'most_running') ~= tostring(most) then redis.call('SET', P .. 'most_running', most) end
local lost
for _, id in ipairs(redis.call('ZRANGE', P .. 'status:running', 0, -1)) do
  local lease = lease_of(id)
  if lease == lease_for(id, process) then return claimed(id) end  -- the client's retry
  if lease == '' and (not lost or id == named) then lost = id end
end
if lost then return take(lost, process, now, event) end
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
