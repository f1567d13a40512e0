/** The scripts about what is known of a client. With a first argument of 0 they do nothing. */
import { KNOWN_DAYS } from '../state/regulars.ts';
import { MAX_SHARED_TEXT } from './assessment-text.ts';
import { COMMON, DAY, MAX_NEW } from './count-script.ts';

/** New assessments of one block in this many seconds: as long as most of them live. */
const MAX_ASSESSMENTS = 1024;
const ASSESSMENTS_SPAN = 900;

const STANDING = `
local function standing(key)
  local value = text(key, 64)
  if not value then return nil end
  local m, d, f, l = string.match(value, '^(%d+) (%d+) (%d+) (%d+)$')
  m, d, f, l = tonumber(m), tonumber(d), tonumber(f), tonumber(l)
  if m and m >= d and d >= 1 and l >= f and m <= 1e9 and l <= 1e6 then return m, d, f, l end
  bad = bad + 1
  return nil
end
`;

/**
 * Keys: churn, regular, assessment, share of the block; whichever is not wanted has another name of ours.
 */
export const MEET_LUA = `${COMMON}${STANDING}
if ARGV[1] ~= '1' then return { 0, {}, ARGV[#ARGV] } end
local names, new, regular, found, life = -1, 0, {}, '', 0
if ARGV[2] == '1' then
  local name, span, most = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
  local ms = now * 1000 + math.floor(tonumber(clock[2]) / 1000)
  local from, to = string.format('(%.0f', ms - span), string.format('(%.0f', ms)
  if type(redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', from)) ~= 'number' then
    bad = bad + 1
    redis.call('DEL', KEYS[1])
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], to, '+inf')
  local known = redis.call('ZSCORE', KEYS[1], name)
  if not known then new = 1 end
  local held = redis.call('ZCARD', KEYS[1])
  local seconds = math.max(1, math.ceil(span / 1000))
  if known or (held > 0 and held < most) or (held == 0 and share(KEYS[4], ${MAX_NEW}, seconds)) then
    redis.call('ZADD', KEYS[1], string.format('%.0f', ms), name)
    redis.call('PEXPIRE', KEYS[1], span)
  end
  names = math.min(most, math.max(1, redis.call('ZCARD', KEYS[1])))
end
if ARGV[3] == '1' then
  local m, d, f, l = standing(KEYS[2])
  if m then regular = { m, d, f, l } end
end
if ARGV[4] == '1' then
  found = text(KEYS[3], ${MAX_SHARED_TEXT}) or ''
  if found ~= '' then life = redis.call('PTTL', KEYS[3]) end
end
return { bad, { names, new, regular, found, math.max(0, life) }, ARGV[#ARGV] }
`;

/** Keys: churn. */
export const FORGET_LUA = `
if ARGV[1] == '1' then redis.pcall('ZREM', KEYS[1], ARGV[2]) end
return { 0, {}, ARGV[#ARGV] }
`;

/** Keys: regular, share of the block. */
export const LEARN_LUA = `${COMMON}${STANDING}
if ARGV[1] ~= '1' then return { 0, {}, ARGV[#ARGV] } end
local today = math.floor(now / 86400)
local km, kd, kf, kl = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
km = math.min(km, 1e9)
kd = math.min(kd, km)
kl = math.min(kl, today)
kf = math.min(kf, kl)
local m, d, f, l = standing(KEYS[1])
local existed = m ~= nil
if m and l <= today and today - l <= ${KNOWN_DAYS} then
  m = math.min(m + 1, 1e9)
  if today > l then d, l = d + 1, today end
  m, d, f, l = math.max(m, km), math.max(d, kd), math.min(f, kf), math.max(l, kl)
else
  m, d, f, l = km, kd, kf, kl
end
local value = string.format('%.0f %.0f %.0f %.0f', m, d, f, l)
put(KEYS[1], existed, KEYS[2], ${MAX_NEW}, ${DAY}, value, ${(KNOWN_DAYS + 1) * DAY})
return { bad, {}, ARGV[#ARGV] }
`;

/** Keys: assessment, share of the block. */
export const KEEP_LUA = `${COMMON}
if ARGV[1] ~= '1' then return { 0, {}, ARGV[#ARGV] } end
put(KEYS[1], false, KEYS[2], ${MAX_ASSESSMENTS}, ${ASSESSMENTS_SPAN}, ARGV[2], tonumber(ARGV[3]) / 1000)
return { bad, {}, ARGV[#ARGV] }
`;
