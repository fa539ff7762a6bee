-- Shared by all scripts: keys, and the ways in which a debate changes.
local P = 'rostra:'
local function debate_key(id) return P .. 'debate:' .. id end
local function owner_key(owner, index) return P .. 'owner:' .. owner .. ':' .. index end
local function field(id, name) return redis.call('HGET', debate_key(id), name) end
local function owner_of(id) return field(id, 'owner') or '' end

local ENDED = { completed = true, collapsed = true, failed = true, cancelled = true }
local LIVE = { queued = true, running = true }

-- The id of the last event of a debate whose events are not compressed yet.
local function last_event(id)
  local last = redis.call('XREVRANGE', debate_key(id) .. ':events', '+', '-', 'COUNT', 1)[1]
  return last and last[1]
end

local function webhook_key(id) return P .. 'webhook:' .. id end
-- Seconds since 1970. What hangs on them, being sent, may be early or late without harm.
local function seconds_now()
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

-- Appends an event at a place in the debate's stream, and has the debate's webhook looked at, unless it is so already,
-- or its receiver is to be left alone for a while.
local function happened(id, place, event)
  local at = redis.call('XADD', debate_key(id) .. ':events', place, 'event', event)
  if redis.call('HGET', webhook_key(id), 'status') == 'pending' then
    redis.call('ZADD', P .. 'webhooks', 'NX', seconds_now(), id)
  end
  return at
end

-- Appends an event that is not a turn behind the last turn.
local function note(id, event) return happened(id, field(id, 'turns_done') .. '-*', event) end

-- Whether the event is one of the last: the client's retry. Events carry the microsecond, so no two are the same.
local function is_noted(id, event)
  for _, entry in ipairs(redis.call('XREVRANGE', debate_key(id) .. ':events', '+', '-', 'COUNT', 4)) do
    if entry[2][2] == event then return true end
  end
  return false
end

-- Changes the status and the indexes that hang on it.
local function move(id, to)
  local from, owner = field(id, 'status'), owner_of(id)
  redis.call('HSET', debate_key(id), 'status', to)
  if from == 'waiting' and to ~= from then
    redis.call('HSET', debate_key(id), 'awaits', '')
    redis.call('ZREM', P .. 'awaited', id)
  end
  if from then
    redis.call('ZREM', P .. 'status:' .. from, id)
    redis.call('ZREM', owner_key(owner, from), id)
  end
  redis.call('ZADD', P .. 'status:' .. to, 0, id)
  redis.call('ZADD', owner_key(owner, to), 0, id)
  if to == 'queued' then
    redis.call('SADD', P .. 'waiting', owner)
  elseif redis.call('ZCARD', owner_key(owner, 'queued')) == 0 then
    redis.call('SREM', P .. 'waiting', owner)
  end
end

-- Which bound keeps another debate of the owner from waiting for a worker: 'full of own', 'full', or nil for none.
local function no_room(owner, most_own, most)
  most_own, most = tonumber(most_own), tonumber(most)
  if most_own > 0 and redis.call('ZCARD', owner_key(owner, 'queued')) >= most_own then return 'full of own' end
  if most > 0 and redis.call('ZCARD', P .. 'status:queued') >= most then return 'full' end
end

-- The event of the turn that the debate waits for, or nil.
local function awaited(id)
  local event = field(id, 'awaits')
  return event and event ~= '' and cjson.decode(event) or nil
end

local function finish(id, status, reason, now, event)
  note(id, event)
  redis.call('HSET', debate_key(id), 'reason', reason, 'ended_at', now, 'wish', '', 'lease', '')
  redis.call('EXPIRE', debate_key(id) .. ':deltas', 60)
  local seconds = redis.call('TIME')[1]
  redis.call('ZADD', P .. 'ended', seconds, id)
  redis.call('ZADD', P .. 'uncompressed', seconds, id)
  move(id, status)
end

-- Who plays the debate, as '{fence}:{process}'; '' where nobody does. It does not expire: reapers watch the beat that
-- is counted with each renewal, by clocks of their own that nobody can set.
local function lease_of(id) return field(id, 'lease') or '' end
local function lease_for(id, process) return field(id, 'fence') .. ':' .. process end
local function beat(id) return redis.call('HINCRBY', debate_key(id), 'beat', 1) end

-- True for the process that claimed last, as long as nobody else holds the lease: a process that lost its
-- lease to a pause of its own, with nobody else there, may go on; one that was overtaken may not.
local function holds(id, fence, process)
  local held = lease_of(id)
  return field(id, 'status') == 'running' and field(id, 'fence') == fence and (held == '' or held == fence .. ':' .. process)
end

local function renew(id, fence, process)
  redis.call('HSET', debate_key(id), 'lease', fence .. ':' .. process)
  beat(id)
end

local function claimed(id)
  local was = redis.call('HMGET', debate_key(id), 'fence', 'stalls', 'wish', 'spec')
  return { 'claimed', tonumber(was[1]), tonumber(was[2]), was[3], was[4] }
end

-- Gives a debate that nobody plays to a process.
local function take(id, process, now, event)
  local fence = redis.call('HINCRBY', debate_key(id), 'fence', 1)
  redis.call('HINCRBY', debate_key(id), 'stalls', 1)
  renew(id, fence, process)
  redis.call('HSETNX', debate_key(id), 'started_at', now)
  move(id, 'running')
  local event_ = cjson.decode(event)
  event_.fence = fence
  note(id, cjson.encode(event_))
  return claimed(id)
end
