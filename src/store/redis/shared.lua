-- What every script of this folder begins with. Nothing here writes.
--
-- Numbers up to 2^53 are exact in Lua and leave as text, never in the exponent form.

local function text(number)
  return string.format('%.0f', number)
end

-- A reply that says what is unreadable, and where; names hold no patient data.
local function corrupt(key, what)
  return { 'corrupt', key .. ': ' .. what }
end

-- True when `key` is absent or of the wanted type.
local function is(key, wanted)
  local found = redis.call('TYPE', key)['ok']
  return found == 'none' or found == wanted
end

-- Where the territory stands, all zero when it is unknown; nil when it is unreadable.
local function read_head(key)
  if not is(key, 'hash') then return nil end
  local names = { 'epoch', 'seq', 'schema', 'touches', 'last', 'wall' }
  local row = redis.call('HMGET', key, unpack(names))
  local head, known = {}, false
  for i, name in ipairs(names) do known = known or row[i] ~= false end
  for i, name in ipairs(names) do
    head[name] = known and tonumber(row[i] or '') or (not known and 0 or nil)
    if head[name] == nil then return nil end
  end
  return head
end

-- The clock's reading in ms: the caller's when it has a hand-driven clock, else this server's.
local function read_clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The store's now, and what to remember of it as `last` and `wall`: the rule of pace.rs.
local function pace(head, clock)
  if clock >= head.last then return clock, clock, clock end
  if clock < head.wall then return head.last, head.last, clock end
  local half = math.floor((clock - head.wall) / 2)
  return head.last + half, head.last + half, head.wall + 2 * half
end

-- How long a receipt answers a repeated command, ms (72 h). The TTL only clears what this has ended.
local RECEIPT_LIFE = 72 * 3600 * 1000

-- The receipt at `key` while it lives: digest, seq, at, counts, outcome, or nil; false when it is unreadable.
local function read_receipt(key, now)
  if not is(key, 'hash') then return false end
  local row = redis.call('HMGET', key, 'digest', 'seq', 'at', 'written', 'counts', 'outcome')
  if not row[1] then return nil end
  for i = 1, 6 do
    if not row[i] then return false end
  end
  local written = tonumber(row[4])
  if not written then return false end
  if now - written > RECEIPT_LIFE then return nil end
  return { digest = row[1], seq = row[2], at = row[3], counts = row[5], outcome = row[6] }
end

-- The record at `key`: its version, number ('' for none) and bytes; nil when absent, false when it is unreadable.
local function read_record(key)
  if not is(key, 'hash') then return false end
  local row = redis.call('HMGET', key, 'version', 'number', 'bytes')
  if not row[1] and not row[2] and not row[3] then return nil end
  if not row[1] or #row[1] ~= 32 or not row[3] then return false end
  return { row[1], row[2] or '', row[3] }
end
