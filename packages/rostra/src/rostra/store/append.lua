-- ARGV: id, fence, process, seq (0 for what is no turn), whether it is an answer that need not be asked for again (1),
-- event, prompt tokens, completion tokens
local id, fence, process, seq, answered, event, prompt_tokens, completion_tokens = unpack(ARGV)
if not holds(id, fence, process) then return { 'fenced' } end

-- Whether to make room for an owner who waits and has nothing played, where this debate's has several played.
local function is_in_the_way()
  local owner = owner_of(id)
  if redis.call('ZCARD', owner_key(owner, 'running')) < 2 then return false end
  for _, other in ipairs(redis.call('SMEMBERS', P .. 'waiting')) do
    if other ~= owner and redis.call('ZCARD', owner_key(other, 'running')) == 0 then return true end
  end
  return false
end

local function wish()
  local own = field(id, 'wish')
  local unfinished = seq > 0 and seq < tonumber(field(id, 'turns_planned'))
  return own == '' and unfinished and is_in_the_way() and 'yield' or own
end

seq = tonumber(seq)
if seq > 0 then
  local done = tonumber(field(id, 'turns_done'))
  if seq <= done then return { 'held', wish() } end  -- the client's retry
  if seq ~= done + 1 then return redis.error_reply('GAP turn ' .. seq .. ' after ' .. done) end
  happened(id, seq .. '-0', event)
  redis.call('HSET', debate_key(id), 'turns_done', seq, 'stalls', 0)
elseif is_noted(id, event) then
  return { 'held', wish() }
else
  note(id, event)
  if answered == '1' then redis.call('HSET', debate_key(id), 'stalls', 0) end
end
redis.call('HINCRBY', debate_key(id), 'prompt_tokens', prompt_tokens)
redis.call('HINCRBY', debate_key(id), 'completion_tokens', completion_tokens)
renew(id, fence, process)
return { 'held', wish() }
