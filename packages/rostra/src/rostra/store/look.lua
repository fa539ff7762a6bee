-- What a reaper sees: how many debates wait that a worker may take (by the bound that workers last named), the oldest of
-- those that wait, and of each that runs its id, fence, whether somebody holds it, and its beat.
-- The write is refused where Redis is full: then nobody can renew, and nobody must be taken for dead.
redis.call('SET', P .. 'looked', 1)
local running = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'status:running', 0, -1)) do
  running[#running + 1] = { id, tonumber(field(id, 'fence')), lease_of(id) ~= '' and 1 or 0, tonumber(field(id, 'beat') or 0) }
end
local waiting = redis.call('ZCARD', P .. 'status:queued')
local most = tonumber(redis.call('GET', P .. 'most_running') or 0)
if most > 0 then
  waiting = 0
  for _, owner in ipairs(redis.call('SMEMBERS', P .. 'waiting')) do
    local free = math.max(0, most - redis.call('ZCARD', owner_key(owner, 'running')))
    waiting = waiting + math.min(free, redis.call('ZCARD', owner_key(owner, 'queued')))
  end
end
return { waiting, redis.call('ZRANGE', P .. 'status:queued', 0, 99), running }
