-- ARGV: milliseconds for which a debate that was named here is not named again
-- Answers with id, next fence, id, next fence, … of the debates that nobody plays. One caller at a time: of
-- several reapers, the first gets them.
local quiet = ARGV[1]
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', P .. 'live')) do
  if redis.call('EXISTS', debate_key(id) .. ':lease') == 0
    and redis.call('SET', P .. 'woken:' .. id, 1, 'NX', 'PX', quiet) then
    found[#found + 1] = id
    found[#found + 1] = tonumber(field(id, 'fence')) + 1
  end
end
return found
