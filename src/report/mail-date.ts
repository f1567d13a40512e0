/** The date of a header field (RFC 5322 §3.3), as MTAs write it. */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * Hours east of Greenwich of the zones with names (RFC 5322 §4.3); the letters of the military ones mean
 * nothing.
 */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['ut', 0],
  ['utc', 0],
  ['gmt', 0],
  ['edt', -4],
  ['est', -5],
  ['cdt', -5],
  ['cst', -6],
  ['mdt', -6],
  ['mst', -7],
  ['pdt', -7],
  ['pst', -8],
]);

/** Unix time in milliseconds; null for what is no date. Comments must have been taken out. */
export function parseMailDate(text: string): number | null {
  const words = text
    .slice(0, 200)
    .split(/[ \t\r\n]+/)
    .filter((word) => word !== '');
  if (/^[a-z]{3},$/i.test(words[0] ?? '')) words.shift();
  const [day = '', month = '', year = '', time = '', zone = '', ...more] = words;
  const clock = /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(time);
  const offset = minutesEast(zone);
  const monthAt = MONTHS.indexOf(month.toLowerCase());
  if (clock === null || offset === null || monthAt === -1 || more.length > 0) return null;
  if (!/^\d{1,2}$/.test(day) || !/^\d{4}$/.test(year)) return null;
  const [hour, minute, second] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? '0')];
  if (hour > 23 || minute > 59 || second > 60) return null;
  const midnight = Date.UTC(Number(year), monthAt, Number(day));
  // The 31st of June would become the 1st of July.
  if (new Date(midnight).getUTCDate() !== Number(day)) return null;
  return midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000;
}

function minutesEast(zone: string): number | null {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined) {
    const named = ZONES.get(zone.toLowerCase());
    return named === undefined ? null : named * 60;
  }
  const east = Number(hours) * 60 + Number(minutes);
  return sign === '-' ? -east : east;
}
