/**
 * The script that counts for a message; see `CountStep`. A value is `COUNT FIRST`, the second in seconds of
 * Unix time. Whatever else is found under a key of ours is counted, and then overwritten. A block may make so
 * many new records a day; what is beyond that is answered from what the host knows, and not kept.
 */
import { RAMP_LIFE } from '../state/ramp-table.ts';
import { SPENT_LIFE, TRIES_LIFE } from '../state/tempfail-budget.ts';
import type { CountStep, CountTable } from './shared-store.ts';

/** New records of one block in a day. */
export const MAX_NEW = 4096;

/** Seconds that a record lives after the latest message; a stream's lives as long as its limit says. */
export const LIVES: Readonly<Record<CountTable, number>> = {
  tempfails: TRIES_LIFE,
  rehearsed: TRIES_LIFE,
  ramps: RAMP_LIFE,
  streams: 0,
};

/** Seconds of a day. */
export const DAY = 86_400;

/** Take from the share of a block, keep a value, and read one: also for the other scripts. */
export const COMMON = `
local clock = redis.call('TIME')
local now = tonumber(clock[1])
local bad = 0
local function share(quota, most, span)
  local made = redis.pcall('INCR', quota)
  if type(made) ~= 'number' or made < 1 then
    bad = bad + 1
    made = 1
    redis.call('SET', quota, 1)
  end
  redis.call('EXPIRE', quota, span, 'NX')
  -- It was made while the clock was ahead, or by somebody else: the block would be without a share for ever.
  if made > most and redis.call('PTTL', quota) > span * 1000 then
    made = 1
    redis.call('SET', quota, 1, 'EX', span)
  end
  return made <= most
end
local function put(key, existed, quota, most, span, value, life)
  if not existed and not share(quota, most, span) then return end
  redis.call('SET', key, value, 'PX', string.format('%.0f', life * 1000))
end
local function text(key, most)
  local value = redis.pcall('GETRANGE', key, 0, most)
  if type(value) == 'string' then
    if value == '' then return nil end
    if #value <= most then return value end
  end
  bad = bad + 1
  return nil
end
`;

export const COUNT_LUA = `${COMMON}
local function read(key)
  local value = text(key, 32)
  if not value then return nil end
  local n, first = string.match(value, '^(%d+) (%d+)$')
  n, first = tonumber(n), tonumber(first)
  if n and n <= 65535 then return n, math.min(first, now), first > now end
  bad = bad + 1
  return nil
end
local answers, k, a, usedUp = {}, 1, 2, false
for i = 1, tonumber(ARGV[1]) do
  local kind, names = ARGV[a], tonumber(ARGV[a + 1])
  local most, age, life = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local only, told = ARGV[a + 5] == '1', a + 6
  local keys, quota = k, KEYS[k + 2 * names]
  a, k = told + 3 * names, k + 2 * names + 1
  local function spend(j, existed)
    local key = KEYS[keys + 2 * j + 1]
    put(key, existed, quota, ${MAX_NEW}, ${DAY}, string.format('1 %d', now), ${SPENT_LIFE})
    usedUp = true
    answers[i] = { 0, 1, 0, 0, j }
  end
  if only and not usedUp then
    answers[i] = {}
  elseif kind == 'budget' then
    for j = 0, names - 1 do
      local existed = read(KEYS[keys + 2 * j + 1]) ~= nil
      if not answers[i] and (existed or ARGV[told + 3 * j + 2] == '1') then spend(j, existed) end
    end
  end
  if not answers[i] then
    local at, existed, n, first, isAhead = nil, false, 0, now, false
    for j = 0, names - 1 do
      local known, since = tonumber(ARGV[told + 3 * j]), tonumber(ARGV[told + 3 * j + 1])
      if not at then
        local count, from, ahead = read(KEYS[keys + 2 * j])
        if count and kind == 'stream' and now - from >= age then count, from = 0, now end
        if count or known > 0 then
          at, existed, isAhead = j, count ~= nil, ahead
          n, first = math.max(count or 0, known), math.min(from or now, now - since)
        end
      end
    end
    at = at or 0
    local within = n < most or (kind ~= 'stream' and now - first < age)
    -- Made while the clock was ahead, a limit that is used up would be so until then: it begins now.
    if within or kind == 'ramp' or isAhead then
      if within or kind == 'ramp' then n = math.min(n + 1, 65535) end
      if kind == 'stream' then life = math.max(1, age - (now - first)) end
      put(KEYS[keys + 2 * at], existed, quota, ${MAX_NEW}, ${DAY}, string.format('%d %d', n, first), life)
    end
    if kind == 'budget' and not within then
      -- The first name is that of new records; the other stays known to those who were counted under it.
      if at > 0 then spend(0, false) end
      redis.call('DEL', KEYS[keys + 2 * at])
      spend(at, existed)
    else
      answers[i] = { within and 1 or 0, 0, n, now - first, at }
    end
  end
end
return { bad, answers, ARGV[#ARGV] }
`;

/** What the script calls the tables. */
const KINDS: Readonly<Record<CountTable, string>> = {
  tempfails: 'budget',
  rehearsed: 'budget',
  ramps: 'ramp',
  streams: 'stream',
};

/** The numbers of a step, in the order in which the script takes them. */
export function stepArguments(step: CountStep): (string | number)[] {
  const { table, names, count, age, known, ifSpent } = step;
  const knownUnder = names.flatMap((_, i) => {
    const { tries = null, spent = false } = known[i] ?? {};
    return [tries?.count ?? 0, Math.max(0, tries?.age ?? 0), spent ? 1 : 0];
  });
  return [KINDS[table], names.length, count, age, LIVES[table], ifSpent ? 1 : 0, ...knownUnder];
}
