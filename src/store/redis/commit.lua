-- One conditional commit: applied completely or not at all. Every check stands before the first write, and the log
-- comes first of the writes, because XADD can refuse and what was written before an error stays.
--
-- KEYS  1 head of the territory (hash)   2 its log (stream)   3 its counters (hash)
--       4 receipt of the command (text; not looked at by a touch)
--       then one per guard, then one per op: the record (text) or index (zset) it is about
-- ARGV  1 command id, '' for a touch     2 digest of the request, 32 bytes
--       3 low half of the version in hex: 16 digits of the command, or 10 of the touch's content
--       4 when the command was made, ms  5 schema of the records it puts, '' when it puts none
--       6 epoch   7 at, ms               8 the store's clock when it is hand-driven, ms; '' for this server's
--       9 '=' and the event's bytes, '' for none     10 outcome, bytes
--      11 number of guards              12 number of ops
--      then three per guard: 'v' version '' | 'a' '' '' | 'f' ('=' member, or '' for empty) (records' key prefix or '')
--                            'd' member '' | 'r' member ''
--      then three per op:    'p' bytes (counter or '') | 'x' '' '' | '+' score member | '-' member ''
--                           'e' beyond '': another epoch, one more than the greater of this one and `beyond` (its key: the head)
--                           'k' counter numbers: it goes on so many further (its key: the counters)
--       and at the end 'awaited' where replicas are waited for behind this call, nothing where they are not
-- All instants are milliseconds since 1970; all integers are decimal text.
--
-- Reply: what is done, as one text, which a client reads with far less work than a list of as many entries:
--   done|replayed(0|1)|seq|at|counts(a,b,…)|version, '' when replayed|outcome, bytes
-- and anything else as a list whose first entry says which:
--   conflict seq command-at-seq epoch now {key version number bytes, …} {guard-number ('=' member, or ''), …}
--     an absent record has the version ''
--   clock now · fenced epoch · schema current · other · stale · numbered · corrupt where-and-what

local FIXED_KEYS, FIXED_ARGS = 4, 12
local MAX_EXACT = 9007199254740992
local MAX_CLOCK_GAP = 1000
local MAX_COMMAND_AGE, MAX_COMMAND_AHEAD = 71 * 3600 * 1000, 5 * 60 * 1000

-- 1. Decode.
local command, digest, version_low = ARGV[1], ARGV[2], ARGV[3]
local made, schema = tonumber(ARGV[4]), tonumber(ARGV[5])
local epoch, at = tonumber(ARGV[6]), tonumber(ARGV[7])
local event, outcome = ARGV[9], ARGV[10]
local guards, ops = tonumber(ARGV[11]), tonumber(ARGV[12])
assert(epoch and at and guards and ops, 'commit: epoch, at and the two numbers must be integers')
assert(#KEYS == FIXED_KEYS + guards + ops, 'commit: one key for each guard and op')
local last_arg = FIXED_ARGS + 3 * (guards + ops)
local awaited = ARGV[last_arg + 1] == 'awaited'
assert(#ARGV == last_arg + (awaited and 1 or 0), 'commit: three arguments for each guard and op')
assert(event == '' or command ~= '', 'commit: an event needs a command')

-- Key and arguments of guard or op number `n`; ops go on where guards end.
local function part(n)
  local base = FIXED_ARGS + 3 * (n - 1)
  return KEYS[FIXED_KEYS + n], ARGV[base + 1], ARGV[base + 2], ARGV[base + 3]
end

local function done(...)
  return table.concat({ 'done', ... }, '|')
end

-- 2. A known command is answered from its receipt, before anything can refuse it.
local head = read_head(KEYS[1])
if not head then return corrupt(KEYS[1], no_head(KEYS[1])) end
local now, last, wall = pace(head, read_clock(ARGV[8]))
if command ~= '' then
  local receipt = read_receipt(KEYS[4], now)
  if receipt == false then return corrupt(KEYS[4], 'expected a receipt') end
  if receipt then
    if receipt.digest ~= digest then return { 'other' } end
    if awaited then
      -- From Redis 7.2 on WAIT speaks only of what its own connection wrote, and the first run may have come over another
      -- one: what replicas then confirm is this write, and with it all that was written before.
      assert(head.epoch > 0, 'commit: a receipt without a head')
      redis.call('HINCRBY', KEYS[1], 'seq', 0)
    end
    return done('1', receipt.seq, receipt.at, receipt.counts, '', receipt.outcome)
  end
end

-- 3. Types of everything that is read or written below; of the records, version and number.
local RECORD, INDEX, HEAD, COUNTERS = 'a record', 'a zset', 'a hash', 'a hash of counters'
local KINDS = { v = RECORD, a = RECORD, p = RECORD, x = RECORD, f = INDEX, d = INDEX, r = INDEX, ['+'] = INDEX, ['-'] = INDEX, e = HEAD,
  k = COUNTERS }
local ABSENT = {}
local known = {}
for n = 1, guards + ops do
  local key, tag = part(n)
  local kind = KINDS[tag]
  assert(kind, 'commit: an unknown guard or op')
  if known[key] == nil then
    if kind == RECORD then
      known[key] = read_version(key)
      if known[key] == nil then known[key] = ABSENT end
    elseif kind == INDEX then
      known[key] = is(key, 'zset')
    elseif kind == COUNTERS then
      known[key] = key == KEYS[3] and is(key, 'hash')
    else
      -- The head, which was read as one.
      known[key] = key == KEYS[1]
    end
    if not known[key] then return corrupt(key, 'expected ' .. kind) end
  end
end
if event ~= '' and redis.call('TYPE', KEYS[2])['ok'] ~= (head.seq > 0 and 'stream' or 'none') then
  return corrupt(KEYS[2], 'expected a stream that ends at ' .. text(head.seq))
end

-- 4. Epoch, schema, clock, age.
if epoch ~= head.epoch then return { 'fenced', text(head.epoch) } end
if schema and schema < head.schema then return { 'schema', text(head.schema) } end
if math.abs(now - at) > MAX_CLOCK_GAP then return { 'clock', text(now) } end
if command ~= '' and (at - made > MAX_COMMAND_AGE or made - at > MAX_COMMAND_AHEAD) then return { 'stale' } end

-- 5. Guards.
local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0)[1]
  return found and '=' .. found or ''
end

local holds = true
for n = 1, guards do
  local key, tag, x = part(n)
  if tag == 'v' or tag == 'a' then
    if tag == 'v' then holds = holds and known[key][1] == x else holds = holds and known[key] == ABSENT end
  elseif tag == 'f' then
    holds = holds and first(key) == x
  else
    local score = tonumber(redis.call('ZSCORE', key, x) or '')
    holds = holds and score ~= nil and (score <= now) == (tag == 'd')
  end
end

if not holds then
  local records, heads = {}, {}
  for n = 1, guards do
    local key, tag, _, prefix = part(n)
    local record_key = (tag == 'v' or tag == 'a') and key or nil
    if tag == 'f' then
      local member = first(key)
      heads[#heads + 1] = text(n)
      heads[#heads + 1] = member
      -- A key that the caller could not know and name; it has the same hash tag.
      if member ~= '' and prefix ~= '' then record_key = prefix .. string.match(member, '^=([^/]*)') end
    end
    if record_key then
      local record = read_record(record_key)
      if record == false then return corrupt(record_key, 'expected a record') end
      record = record or { '', '', '' }
      records[#records + 1] = { record_key, record[1], record[2], record[3] }
    end
  end
  return { 'conflict', text(head.seq), last_command(KEYS[2], head), text(head.epoch), text(now), records, heads }
end

-- 6. Numbers: only a new record takes one, and all stay exact.
local counters, counts = {}, {}
for n = guards + 1, guards + ops do
  local key, tag, x, y = part(n)
  local counter, more = tag == 'p' and y or '', 1
  if tag == 'k' then counter, more = x, tonumber(y) end
  if counter ~= '' then
    if tag == 'p' and known[key] ~= ABSENT then return { 'numbered' } end
    local stored = counters[counter] or try('HGET', KEYS[3], counter)
    if stored == nil then return corrupt(KEYS[3], 'expected a hash') end
    local value = tonumber(stored or '0')
    if not value or value < 0 or value % 1 ~= 0 then return corrupt(KEYS[3], 'expected whole numbers') end
    if value + more > MAX_EXACT then return corrupt(KEYS[3], 'a counter is beyond 2^53') end
    counters[counter] = value + more
    if tag == 'p' then counts[#counts + 1] = text(value + 1) end
  end
end
local all_counts = table.concat(counts, ',')

-- 7. The log, first of all writes.
local seq = head.seq
if event ~= '' then
  seq = seq + 1
  local fields = { 'command', command, 'at', ARGV[7], 'counts', all_counts, 'event', string.sub(event, 2) }
  local added = redis.pcall('XADD', KEYS[2], text(seq) .. '-0', unpack(fields))
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'equal or smaller') then return corrupt(KEYS[2], 'the log is ahead of its head') end
    return redis.error_reply(added.err)
  end
end

-- 8. Ops, in order.
local touches = head.touches
if command == '' then
  touches = touches + 1
  version_low = version_low .. string.format('%06x', touches % 16777216)
end
local version = string.format('%016x', seq) .. version_low
local counted, epoch_after = 0, head.epoch
for n = guards + 1, guards + ops do
  local key, tag, x, y = part(n)
  if tag == 'p' then
    -- A record keeps the number it was given.
    local number = known[key][2] or ''
    if y ~= '' then
      counted = counted + 1
      number = counts[counted]
      redis.call('HSET', KEYS[3], y, number)
    end
    redis.call('SET', key, version .. number .. '|' .. x)
    known[key] = { version, number }
  elseif tag == 'x' then
    redis.call('DEL', key)
    known[key] = ABSENT
  elseif tag == 'k' then
    redis.call('HINCRBY', KEYS[3], x, y)
  elseif tag == 'e' then
    epoch_after = math.max(epoch_after, tonumber(x)) + 1
  elseif tag == '+' then
    redis.call('ZADD', key, x, y)
  else
    redis.call('ZREM', key, x)
  end
end
redis.call('HSET', KEYS[1], 'epoch', text(math.max(epoch_after, 1)), 'seq', text(seq),
  'schema', text(schema or head.schema), 'touches', text(touches), 'last', text(last), 'wall', text(wall))

-- 9. The receipt, and the answer.
if command ~= '' then
  local receipt = digest .. table.concat({ text(seq), ARGV[7], text(now), all_counts, outcome }, '|')
  redis.call('SET', KEYS[4], receipt, 'PX', text(RECEIPT_LIFE))
end
return done('0', text(seq), ARGV[7], all_counts, version, outcome)
