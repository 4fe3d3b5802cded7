-- Removes log entries, never beyond a reader's cursor and never the newest one.
--
-- KEYS  1 head of the territory   2 its log   3 the index of readers' cursors (a member's score is the last seq it read)
-- ARGV  1 last seq that may go    2 most entries to remove
--
-- Reply: trimmed first-kept-seq · or: corrupt where-and-what. The first kept seq of an empty log is the head's next.

assert(#KEYS == 3 and #ARGV == 2, 'trim: three keys and two arguments')
local head = read_head(KEYS[1])
if not head then return corrupt(KEYS[1], no_head(KEYS[1])) end
if not is(KEYS[2], 'stream') then return corrupt(KEYS[2], 'expected a stream') end
if not is(KEYS[3], 'zset') then return corrupt(KEYS[3], 'expected a zset') end

local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if not oldest then return { 'trimmed', text(head.seq + 1) } end
local first = tonumber(string.match(oldest[1], '^(%d+)-0$') or '')
if not first then return corrupt(KEYS[2], 'expected entries named by their seq') end

local last = math.min(tonumber(ARGV[1]), head.seq - 1, first + tonumber(ARGV[2]) - 1)
local cursor = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
if cursor then last = math.min(last, tonumber(cursor)) end
if last < first then return { 'trimmed', text(first) } end
redis.call('XTRIM', KEYS[2], 'MINID', '=', text(last + 1) .. '-0')
return { 'trimmed', text(last + 1) }
