-- One page of an index in (score, member bytes) order.
--
-- KEYS  1 head of the territory   2 its log   3 the index
-- ARGV  1 score and 2 '=' and the member to go on after; both '' to begin   3 most entries
--
-- Reply: page seq command-at-seq member score member score … · or: corrupt where-and-what

assert(#KEYS == 3 and #ARGV == 3, 'range: three keys and three arguments')
local head = read_head(KEYS[1])
if not head then return corrupt(KEYS[1], no_head(KEYS[1])) end
if not is(KEYS[3], 'zset') then return corrupt(KEYS[3], 'expected a zset') end

-- Byte order, as the index has it; Lua's own `<` would follow the server's locale.
local function comes_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- The entry to go on after may have gone: its place is found among its equals by halving.
local from = 0
if ARGV[1] ~= '' then
  local after = string.sub(ARGV[2], 2)
  local low = redis.call('ZCOUNT', KEYS[3], '-inf', '(' .. ARGV[1])
  local high = redis.call('ZCOUNT', KEYS[3], '-inf', ARGV[1])
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comes_before(after, redis.call('ZRANGE', KEYS[3], middle, middle)[1]) then high = middle else low = middle + 1 end
  end
  from = low
end

local entries = redis.call('ZRANGE', KEYS[3], from, from + tonumber(ARGV[3]) - 1, 'WITHSCORES')
for i = 2, #entries, 2 do
  entries[i] = text(tonumber(entries[i]))
end
return { 'page', text(head.seq), last_command(KEYS[2], head), entries }
