/**
 * A decision log as a host of middling size would have, made from the decisions of the program itself.
 *
 * What is assumed: one decision a message; four messages of ten are wanted. Of those, 1.35 % come from a
 * client without a reverse name, 0.3 % say a single label, 8.7 % have SPF for their name; of the others 39 %,
 * 15 % and 2 % (mass checks of SpamAssassin, 2009, and its notes; nothing newer was published). Wanted mail
 * comes from 20,000 domains, a few of which send most of it; each other message from a client and a domain of
 * its own. Four weeks. Only names, addresses, times and references differ from one record of a kind to
 * the next.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { decisionRecord } from '../src/decisions/record.ts';
import { hello, service } from '../test/support/service.ts';
import * as mta from '../test/support/mta.ts';
import { type Zone, zoneResolver } from '../test/support/zone.ts';

const DAYS = 28;
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 5);
const DOMAINS = 20_000;
const WANTED = 0.4;
/** What a record of a kind is made with, and what is put in its place; of one length, so that sizes stay. */
const ADDRESS = '198.51.100.200';
const REVERSE = '200.100.51.198';
const DOMAIN = 's0000000.org';

interface Kind {
  /** Of a thousand wanted, and of a thousand other messages. */
  readonly shares: readonly [wanted: number, other: number];
  readonly helo: string;
  readonly zone: Zone;
}

const POINTER = { [`${REVERSE}.in-addr.arpa`]: { PTR: [`mail.${DOMAIN}`] } };
const HOST = { [`mail.${DOMAIN}`]: { A: [ADDRESS] } };
const KINDS: readonly Kind[] = [
  { shares: [720, 250], helo: `mail.${DOMAIN}`, zone: { ...HOST, ...POINTER } },
  {
    shares: [87, 20],
    helo: `mail.${DOMAIN}`,
    zone: {
      ...POINTER,
      [`mail.${DOMAIN}`]: { A: [ADDRESS], TXT: [`v=spf1 ip4:${ADDRESS} -all`] },
    },
  },
  // Another host of the same organisation.
  { shares: [150, 30], helo: `out.${DOMAIN}`, zone: { ...HOST, ...POINTER } },
  { shares: [14, 390], helo: `mail.${DOMAIN}`, zone: { [`mail.${DOMAIN}`]: { A: ['192.0.2.1'] } } },
  { shares: [3, 150], helo: 'WIN-SERVER', zone: POINTER },
  { shares: [26, 160], helo: `gone.${DOMAIN}`, zone: { [DOMAIN]: { NS: ['ns.example.net'] } } },
];

/** The decision of the program on a message of this kind, as it is logged. */
async function recordOf({ helo, zone }: Kind): Promise<string> {
  const found: string[] = [];
  const { connection } = service({
    resolver: zoneResolver(zone),
    decided: (decision) => found.push(decisionRecord(decision, 'TIME', null)),
  });
  const { say } = connection();
  await say(...hello(helo, ADDRESS), mta.macros('M', { j: 'mx.dest.test' }));
  await say(mta.mail(`news@${DOMAIN}`), mta.rcpt('user@dest.test'), mta.data, mta.endOfMessage);
  const [record] = found;
  if (record === undefined) throw new Error(`there is no decision on ${helo}`);
  return record;
}

/** Numbers from 0 to 1 that look random and are the same in every run (Lehmer). */
function randomNumbers(): () => number {
  let state = 20_260_105;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Writes so many records; each line ends with a line end. Returns the octets written. */
export async function writeCorpus(file: string, records: number): Promise<number> {
  const texts = await Promise.all(KINDS.map(recordOf));
  const random = randomNumbers();
  const descriptor = openSync(file, 'w', 0o600);
  let octets = 0;
  let chunk: string[] = [];
  const flush = (): void => {
    octets += writeSync(descriptor, chunk.join(''));
    chunk = [];
  };
  for (let i = 0; i < records; i++) {
    const wanted = random() < WANTED;
    // The cube makes a few domains send most.
    const domain = wanted ? Math.floor(DOMAINS * random() ** 3) : DOMAINS + i;
    const kind = kindFor(wanted, random());
    const time = new Date(START + Math.floor((i / records) * DAYS * DAY_MS)).toISOString();
    chunk.push(asSentBy(domain, texts[kind] ?? '', { time, reference: `bench.${i}.1` }), '\n');
    if (chunk.length >= 2000) flush();
  }
  flush();
  closeSync(descriptor);
  return octets;
}

function kindFor(wanted: boolean, at: number): number {
  let left = at * 1000;
  const kind = KINDS.findIndex(({ shares: [good, other] }) => (left -= wanted ? good : other) < 0);
  return Math.max(0, kind);
}

function asSentBy(
  domain: number,
  record: string,
  { time, reference }: { readonly time: string; readonly reference: string },
): string {
  const octets = [100 + ((domain >> 16) & 127), 100 + ((domain >> 9) & 127), 100 + ((domain >> 2) & 127)];
  const host = 100 + (domain & 3);
  return (
    record
      .replaceAll(DOMAIN, `s${String(domain).padStart(7, '0')}.org`)
      .replaceAll(ADDRESS, [...octets, host].join('.'))
      .replaceAll(REVERSE, [host, ...octets.toReversed()].join('.'))
      .replace('TIME', time)
      // Records with the same one in a row are about one message.
      .replace(/"reference":"[^"]*"/, `"reference":"${reference}"`)
  );
}
