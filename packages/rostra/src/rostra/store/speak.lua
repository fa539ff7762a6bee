-- ARGV: id, fence, deltas kept, their life (s), seq, attempt, debater, text
local id, fence, kept, life, seq, attempt, debater, text = unpack(ARGV)
if field(id, 'status') ~= 'running' or field(id, 'fence') ~= fence then return { 'fenced' } end
redis.call('XADD', debate_key(id) .. ':deltas', 'MAXLEN', kept, '*',
  'seq', seq, 'attempt', attempt, 'fence', fence, 'debater', debater, 'text', text)
redis.call('EXPIRE', debate_key(id) .. ':deltas', life)
return { 'held', field(id, 'wish') }
