-- ARGV: id, the beginning of the dead owner's name
-- Drops the lease of a process that is known to be dead; answers with the next fence, or nothing.
local id, owner = unpack(ARGV)
local held = redis.call('GET', debate_key(id) .. ':lease')
if not held then return {} end
local fence, holder = held:match('^(%d+):(.*)$')
if holder:sub(1, #owner) ~= owner then return {} end
redis.call('DEL', debate_key(id) .. ':lease')
redis.call('SET', P .. 'woken:' .. id, 1, 'PX', 5000)
return { tonumber(fence) + 1 }
