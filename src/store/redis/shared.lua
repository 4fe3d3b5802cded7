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

-- The answer of a command that reads; nil when the key holds another type.
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end

-- Where the territory stands, all zero when it is unknown; nil when it is unreadable.
local function read_head(key)
  local names = { 'epoch', 'seq', 'schema', 'touches', 'last', 'wall' }
  local row = try('HMGET', key, unpack(names))
  if not row then return nil end
  local head, known = {}, false
  for i, name in ipairs(names) do known = known or row[i] ~= false end
  for i, name in ipairs(names) do
    head[name] = known and tonumber(row[i] or '') or (not known and 0 or nil)
    if head[name] == nil then return nil end
  end
  return head
end

-- Why there is no head to read: a load into this place writes it last.
local function no_head(key)
  if (try('HGET', key, 'epoch') or '') == 'loading' then
    return 'a load was begun here and has not ended: import again with --replace-broken once no import is running'
  end
  return 'expected a hash of six numbers'
end

-- The command of the log's entry at the head, which names the history; '' when it is not there.
local function last_command(key, head)
  local entry = head.seq > 0 and (try('XREVRANGE', key, '+', '-', 'COUNT', 1) or {})[1]
  if not entry or entry[1] ~= text(head.seq) .. '-0' or entry[2][1] ~= 'command' then return '' end
  return entry[2][2]
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

-- A receipt is one text: digest (32 bytes), then seq|at|written|counts| in decimal, then the outcome's bytes. The one at
-- `key` while it lives: digest, seq, at, counts, outcome, or nil; false when it is unreadable.
local function read_receipt(key, now)
  local value = try('GET', key)
  if value == nil then return false end
  if not value then return nil end
  local seq, at, written, counts, from = string.match(value, '^(%d+)|(%d+)|(%d+)|([%d,]*)|()', 33)
  if not seq then return false end
  if now - tonumber(written) > RECEIPT_LIFE then return nil end
  return { digest = string.sub(value, 1, 32), seq = seq, at = at, counts = counts, outcome = string.sub(value, from) }
end

-- A record is one text: version (32 hex digits), number in decimal ('' for none), '|', then its bytes.
--
-- Version and number that `text` begins with, and where the bytes begin; false when it is no record.
local function parse_record(text)
  local number, from = string.match(text, '^(%d*)|()', 33)
  local version = string.sub(text, 1, 32)
  if not number or string.find(version, '%X') then return false end
  return { version, number }, from
end

-- Version and number of the record at `key`; nil when absent, false when it is unreadable.
local function read_version(key)
  local start = try('GETRANGE', key, 0, 32 + 16)
  if not start then return false end
  if start == '' then return nil end
  return (parse_record(start))
end

-- The record at `key`: its version, number and bytes; nil when absent, false when it is unreadable.
local function read_record(key)
  local value = try('GET', key)
  if value == nil then return false end
  if not value then return nil end
  local record, from = parse_record(value)
  if record then record[3] = string.sub(value, from) end
  return record
end
