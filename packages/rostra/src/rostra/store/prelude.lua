-- Shared by all scripts: keys, and the two ways in which a debate changes.
local P = 'rostra:'
local function debate_key(id) return P .. 'debate:' .. id end
local function field(id, name) return redis.call('HGET', debate_key(id), name) end

local ENDED = { completed = true, collapsed = true, failed = true, cancelled = true }
local LIVE = { queued = true, running = true }

-- Appends an event that is not a turn behind the last turn.
local function note(id, event)
  return redis.call('XADD', debate_key(id) .. ':events', field(id, 'turns_done') .. '-*', 'event', event)
end

-- Whether the event is one of the last: the client's retry. Events carry the microsecond, so no two are the same.
local function is_noted(id, event)
  for _, entry in ipairs(redis.call('XREVRANGE', debate_key(id) .. ':events', '+', '-', 'COUNT', 4)) do
    if entry[2][2] == event then return true end
  end
  return false
end

-- Changes the status and the indexes that hang on it.
local function move(id, to)
  local from = field(id, 'status')
  redis.call('HSET', debate_key(id), 'status', to)
  if from then redis.call('ZREM', P .. 'status:' .. from, id) end
  redis.call('ZADD', P .. 'status:' .. to, 0, id)
  if LIVE[to] then redis.call('SADD', P .. 'live', id) else redis.call('SREM', P .. 'live', id) end
end

local function finish(id, status, reason, now, event)
  note(id, event)
  redis.call('HSET', debate_key(id), 'reason', reason, 'ended_at', now, 'wish', '')
  redis.call('DEL', debate_key(id) .. ':lease')
  redis.call('EXPIRE', debate_key(id) .. ':deltas', 60)
  move(id, status)
end

-- True for the process that claimed last, as long as nobody else holds the lease: a process that lost its
-- lease to a pause of its own, with nobody else there, may go on; one that was overtaken may not.
local function holds(id, fence, lease)
  local held = redis.call('GET', debate_key(id) .. ':lease')
  return field(id, 'status') == 'running' and field(id, 'fence') == fence and (not held or held == lease)
end
