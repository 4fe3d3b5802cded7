-- One consistent read.
--
-- KEYS  1 head of the territory   2 its log   3 receipt asked about (the head when none is)   then one per record
-- ARGV  1 the store's clock when it is hand-driven, ms; '' for this server's
--       2 '1' when a receipt is asked about
--
-- Reply: read seq command-at-seq epoch now must-note(0|1) {seq at counts outcome, or nothing} {key version number bytes, …}
--        or: corrupt where-and-what. An absent record has the version ''.

assert(#KEYS >= 3 and #ARGV == 2, 'read: three keys and two arguments at least')
local head = read_head(KEYS[1])
if not head then return corrupt(KEYS[1], no_head(KEYS[1])) end
local clock = read_clock(ARGV[1])
local now = pace(head, clock)
local receipt = {}
if ARGV[2] == '1' then
  local found = read_receipt(KEYS[3], now)
  if found == false then return corrupt(KEYS[3], 'expected a receipt') end
  if found then receipt = { found.seq, found.at, found.counts, found.outcome } end
end
local records = {}
for i = 4, #KEYS do
  local record = read_record(KEYS[i])
  if record == false then return corrupt(KEYS[i], 'expected a record') end
  record = record or { '', '', '' }
  records[#records + 1] = { KEYS[i], record[1], record[2], record[3] }
end
local must_note = (clock < head.last and clock < head.wall) and '1' or '0'
return { 'read', text(head.seq), last_command(KEYS[2], head), text(head.epoch), text(now), must_note, receipt, records }
