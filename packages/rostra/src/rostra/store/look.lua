-- What a reaper sees: how many debates wait, the oldest of them, and of each that runs its id, fence, whether somebody
-- holds it, and its beat.
-- The write is refused where Redis is full: then nobody can renew, and nobody must be taken for dead.
redis.call('SET', P .. 'looked', 1)
local running = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'status:running', 0, -1)) do
  running[#running + 1] = { id, tonumber(field(id, 'fence')), lease_of(id) ~= '' and 1 or 0, tonumber(field(id, 'beat') or 0) }
end
return { redis.call('ZCARD', P .. 'status:queued'), redis.call('ZRANGE', P .. 'status:queued', 0, 99), running }
