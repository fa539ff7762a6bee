-- ARGV: id, owner, lease (ms), claimed at, event
local id, owner, lease_ms, now, event = unpack(ARGV)
local status = field(id, 'status')
if not status then return { 'missing' } end
if not LIVE[status] then return { status } end
local held = redis.call('GET', debate_key(id) .. ':lease')
if held and held == field(id, 'fence') .. ':' .. owner then  -- the client's retry
  return { 'claimed', tonumber(field(id, 'fence')), tonumber(field(id, 'stalls')), field(id, 'wish'), field(id, 'spec') }
end
if held then return { 'leased' } end
local fence = redis.call('HINCRBY', debate_key(id), 'fence', 1)
local stalls = redis.call('HINCRBY', debate_key(id), 'stalls', 1)
redis.call('SET', debate_key(id) .. ':lease', fence .. ':' .. owner, 'PX', lease_ms)
redis.call('HSETNX', debate_key(id), 'started_at', now)
move(id, 'running')
local claimed = cjson.decode(event)
claimed.fence = fence
note(id, cjson.encode(claimed))
return { 'claimed', fence, stalls, field(id, 'wish'), field(id, 'spec') }
