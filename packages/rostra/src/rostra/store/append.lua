-- ARGV: id, fence, owner, lease (ms), seq (0 for what is no turn), event, prompt tokens, completion tokens
local id, fence, owner, lease_ms, seq, event, prompt_tokens, completion_tokens = unpack(ARGV)
local lease = fence .. ':' .. owner
if not holds(id, fence, lease) then return { 'fenced' } end
seq = tonumber(seq)
if seq > 0 then
  local done = tonumber(field(id, 'turns_done'))
  if seq <= done then return { 'held', field(id, 'wish') } end  -- the client's retry
  if seq ~= done + 1 then return redis.error_reply('GAP turn ' .. seq .. ' after ' .. done) end
  redis.call('XADD', debate_key(id) .. ':events', seq .. '-0', 'event', event)
  redis.call('HSET', debate_key(id), 'turns_done', seq, 'stalls', 0)
elseif is_noted(id, event) then
  return { 'held', field(id, 'wish') }
else
  note(id, event)
end
redis.call('HINCRBY', debate_key(id), 'prompt_tokens', prompt_tokens)
redis.call('HINCRBY', debate_key(id), 'completion_tokens', completion_tokens)
redis.call('SET', debate_key(id) .. ':lease', lease, 'PX', lease_ms)
return { 'held', field(id, 'wish') }
