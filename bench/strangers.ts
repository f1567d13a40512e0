/**
 * Strangers who try to fill the memory: clients whose SPF is a chain of ten records of 61 kB, or as long as
 * the longest that we read. Run it with a small heap; the number of clients is a hundred thousand by default:
 *
 *     npx tsc -p bench && node --max-old-space-size=512 .bench/js/bench/strangers.js [CLIENTS [ATTACK]]
 *
 * Ends with 1 if anybody else got a wrong verdict; a full heap ends it earlier.
 */
import { Assessor } from '../src/session/assessor.ts';
import { checks } from '../src/core/checks/index.ts';
import { type IpAddress, parseIp } from '../src/core/ip.ts';
import type { Answer, RecordType, Resolver } from '../src/core/resolver.ts';

const CLIENTS = Number(process.argv[2] ?? 100_000);
/** Only the attacks that have these words; all by default. */
const WORDS = process.argv[3] ?? '';
/** Assessments under way at a time. */
const AT_ONCE = 200;
/** How long a question takes if strangers let us wait. */
const SLOW_MS = 5;
const MIB = 1024 * 1024;

/** The address and the name of stranger `i`. */
type Attack = (i: number) => readonly [ip: string, helo: string];

const hex = (number: number): string => number.toString(16);
const ATTACKS: Readonly<Record<string, Attack>> = {
  'from one /64': (i) => [`2001:db8::${hex(i >> 16)}:${hex(i & 0xffff)}`, `s${i}.x.org`],
  'from one /24, with as long texts as are read': (i) => [`203.0.113.${i & 255}`, `t${i}.x.org`],
  'each from a /64 of its own, with as many words as are read': (i) => [
    `2001:db8:${hex(i >> 16)}:${hex(i & 0xffff)}::1`,
    `u${i}.x.org`,
  ],
  'each from a /48 of its own, with as many words as are read': (i) => [
    `2001:db8:${hex(i & 0xffff)}::${hex(i)}`,
    `u${i}.x.org`,
  ],
  // Cheap for them: names that do not exist.
  'of one address, with a name each': (i) => ['203.0.113.9', `v${i}.x.org`],
  'with an address and a name each': (i) => [
    `${60 + ((i >> 16) & 63)}.${(i >> 8) & 255}.${i & 255}.9`,
    `v${i}.x.org`,
  ],
  'each from a /64 of one /32, with a name each': (i) => [
    `2001:db8:${hex(i >> 16)}:${hex(i & 0xffff)}::1`,
    `v${i}.x.org`,
  ],
};

/** A hundred ordinary senders, each in a network of its own. */
const OTHERS = Array.from({ length: 100 }, (_, i) => ({
  ip: address(`198.51.${i}.7`),
  helo: `mail${i}.sender.org`,
}));

function address(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === null) throw new Error(text);
  return ip;
}

/**
 * By the first letter of the name: longer than we read, nearly as long as we read, and with many short terms.
 */
const TEXTS: Readonly<Record<string, string>> = {
  s: 'ip4:203.0.113.1 '.repeat(3800),
  t: `x=${'y'.repeat(8000)} `,
  u: 'ip4:203.0.113.1 '.repeat(95),
};

/** Every text is a new string, like one that comes from the wire. */
const resolver: Resolver = {
  lookup: <T extends RecordType>(name: string, type: T): Promise<Answer<T>> => {
    const sender = /^mail(\d+)\.sender\.org$/.exec(name)?.[1];
    const found = (record: string): Answer<T> => ({
      status: 'found',
      records: [record] as never[],
      ttl: 300,
    });
    if (sender !== undefined && type === 'A') return Promise.resolve(found(`198.51.${sender}.7`));
    const link = /^(?:l(\d)\.)?([stu])\d+\.x\.org$/.exec(name);
    if (type !== 'TXT' || link === null) return Promise.resolve({ status: 'nxdomain', ttl: 300 });
    const next = Number(link[1] ?? 0) + 1;
    const rest = next < 10 ? `include:l${next}.${name.replace(/^l\d\./, '')}` : '-all';
    const text = Buffer.from(`v=spf1 ${TEXTS[link[2] ?? '']}${rest}`, 'latin1').toString('latin1');
    return new Promise((resolve) => setTimeout(resolve, SLOW_MS, found(text)));
  },
};

let worst = 0;
const watch = setInterval(() => {
  worst = Math.max(worst, process.memoryUsage().heapUsed);
}, 50);

async function attack(
  assessor: Assessor,
  stranger: Attack,
): Promise<{ wrong: number; anew: number; p99: number }> {
  let next = 0;
  let wrong = 0;
  let anew = 0;
  const times: number[] = [];
  const one = async (): Promise<void> => {
    for (let i = next++; i < CLIENTS; i = next++) {
      const [from, name] = stranger(i);
      const found = assessor.lookup(address(from), name);
      if (found.cache !== 'hit') await found.pending;
      if (i % 100 !== 0) continue;
      const { ip, helo } = OTHERS[(i / 100) % OTHERS.length] ?? { ip: null, helo: '' };
      const asked = performance.now();
      const other = assessor.lookup(ip, helo);
      const { correspondence } = other.cache === 'hit' ? other.packed.whole(other.ip) : await other.pending;
      times.push(performance.now() - asked);
      if (correspondence !== 'exact') wrong++;
      // Each sender's first look-up.
      if (i >= 100 * OTHERS.length && other.cache !== 'hit') anew++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  times.sort((a, b) => a - b);
  return { wrong, anew, p99: times[Math.floor(times.length * 0.99)] ?? 0 };
}

let failed = false;
for (const [how, stranger] of Object.entries(ATTACKS).filter(([each]) => each.includes(WORDS))) {
  const assessor = new Assessor({
    resolver,
    checks: () => checks,
    limits: () => ({
      deadlineMs: 6000,
      cacheSize: 20_000,
      cacheMemory: 64 * MIB,
      cacheMinMs: 3_600_000,
      cacheMaxMs: 3_600_000,
    }),
    onCheckError: (check, error) => {
      throw new Error(check, { cause: error });
    },
    now: () => performance.now(),
  });
  worst = 0;
  const began = performance.now();
  const { wrong, anew, p99 } = await attack(assessor, stranger);
  failed ||= wrong > 0;
  const { cached, cachedBytes, refusedAnswers } = assessor;
  console.log(
    `${CLIENTS} clients ${how}: ${Math.round((performance.now() - began) / 1000)} s, heap at most ${Math.round(worst / MIB)} MiB, ` +
      `cache ${(cachedBytes / MIB).toFixed(1)} MiB of ${cached} addresses, ${refusedAnswers} answers refused, ` +
      `of ${CLIENTS / 100} look-ups of others ${wrong} wrong and ${anew} made anew, p99 ${p99.toFixed(1)} ms`,
  );
}
clearInterval(watch);
process.exitCode = failed ? 1 : 0;
