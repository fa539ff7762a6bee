-- ARGV: id, the beginning of the dead process' name ('' for any), the beat at which it stopped ('' for any)
-- Drops the lease of a process that is taken for dead; answers with the next fence, or nothing.
local id, process, beat_ = unpack(ARGV)
local fence, holder = lease_of(id):match('^(%d+):(.*)$')
if not fence or holder:sub(1, #process) ~= process then return {} end
if beat_ ~= '' and field(id, 'beat') ~= beat_ then return {} end
redis.call('HSET', debate_key(id), 'lease', '')
return { tonumber(fence) + 1 }
