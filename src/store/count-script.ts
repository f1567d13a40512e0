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
  if type(made) ~= 'number' then
    bad = bad + 1
    made = 1
    redis.call('SET', quota, 1)
  end
  redis.call('EXPIRE', quota, span, 'NX')
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
  if n and n <= 65535 then return n, math.min(first, now) end
  bad = bad + 1
  return nil
end
local answers, k, a, usedUp = {}, 1, 2, false
for i = 1, tonumber(ARGV[1]) do
  local kind, names = ARGV[a], tonumber(ARGV[a + 1])
  local most, age, life = tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local known, since = tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
  local spent, only = ARGV[a + 7] == '1', ARGV[a + 8] == '1'
  local keys, quota = k, KEYS[k + 2 * names]
  a, k = a + 9, k + 2 * names + 1
  if only and not usedUp then
    answers[i] = {}
  else
    local within, n, first, at = false, 0, now, nil
    if kind == 'budget' then
      for j = 0, names - 1 do
        if not at and read(KEYS[keys + 2 * j + 1]) then at = KEYS[keys + 2 * j + 1] end
      end
      spent = spent or at ~= nil
    end
    if not spent then
      for j = 0, names - 1 do
        local key = KEYS[keys + 2 * j]
        if not at then
          local count, from = read(key)
          if count and kind == 'stream' and now - from >= age then count, from = 0, now end
          if count then at, n, first = key, count, from end
        end
      end
      local existed = at ~= nil
      local key = at or KEYS[keys]
      n = math.max(n, known)
      first = math.min(first, now - since)
      within = n < most or (kind ~= 'stream' and now - first < age)
      if within or kind == 'ramp' then
        n = math.min(n + 1, 65535)
        if kind == 'stream' then life = math.max(1, age - (now - first)) end
        put(key, existed, quota, ${MAX_NEW}, ${DAY}, string.format('%d %d', n, first), life)
      elseif kind == 'budget' then
        redis.call('DEL', key)
        at, spent = nil, true
      end
    end
    if kind == 'budget' and spent then
      within, n, first = false, 0, now
      put(at or KEYS[keys + 1], at ~= nil, quota, ${MAX_NEW}, ${DAY}, string.format('1 %d', now), ${SPENT_LIFE})
      usedUp = true
    end
    answers[i] = { within and 1 or 0, spent and 1 or 0, n, now - first }
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
  const { table, names, count, age, known, spent, ifSpent } = step;
  const tries = known ?? { count: 0, age: 0 };
  return [
    ...[KINDS[table], names.length, count, age, LIVES[table], tries.count, Math.max(0, tries.age)],
    ...[spent ? 1 : 0, ifSpent ? 1 : 0],
  ];
}
