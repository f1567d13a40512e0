/**
 * `--dns-zone` against a real name server: the same generated zones, the same questions, the same answers.
 */
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zoneFileResolver } from '../../src/dns/zone-file.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { describeWith } from './kit/present.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const ZONES = 60;
const TYPES = ['A', 'TXT', 'CNAME'] as const;
type Asked = (typeof TYPES)[number];

const owner = fc
  .array(fc.constantFrom('a', 'b', 'c', '*'), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join('.'));
const record = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('A 192.0.2.1', 'TXT "text"') },
  { weight: 2, arbitrary: owner.map((target) => `CNAME ${target}`) },
  { weight: 1, arbitrary: owner.map((target) => `DNAME ${target}`) },
);
/**
 * Each owner with its one record. A DNAME may not be at a wildcard, nor have anything below it (RFC 6672
 * §2.4, §3.3).
 */
const zone = fc.dictionary(owner, record, { minKeys: 1, maxKeys: 8 }).map((records) => {
  const entries = Object.entries(records).filter(
    ([name, rdata]) => !(rdata.startsWith('DNAME') && name.startsWith('*')),
  );
  const renamed = entries.filter(([, rdata]) => rdata.startsWith('DNAME')).map(([name]) => name);
  const visible = entries.filter(([name]) => !renamed.some((above) => name.endsWith(`.${above}`)));
  return visible.map(([name, rdata]) => `${name} ${rdata}`).join('\n');
});
const question = fc.record({
  labels: fc.array(fc.constantFrom('a', 'b', 'c', 'd', '*'), { maxLength: 4 }),
  type: fc.constantFrom<Asked>(...TYPES),
});

/** What the server says, as `found DATA …`, `nodata` or `nxdomain`. */
async function asked(port: number, name: string, type: Asked): Promise<string> {
  const socket = createSocket('udp4');
  const query = encode({ type: 'query', id: 1, questions: [{ type, name }] });
  const send = (): void => {
    socket.send(query, port, '127.0.0.1');
  };
  const again = setInterval(send, 500);
  try {
    const message = await new Promise<Buffer>((resolve, reject) => {
      socket.once('message', resolve);
      socket.once('error', reject);
      send();
    });
    const { answers = [], rcode } = decode(message) as ReturnType<typeof decode> & { rcode: string };
    const found = answers.flatMap((each) =>
      each.type === type && 'data' in each ? [String(each.data)] : [],
    );
    // A question for an alias is answered with it; behind one, the code is that of its end.
    if (found.length > 0) return ['found', ...found].join(' ');
    return rcode === 'NXDOMAIN' ? 'nxdomain' : rcode === 'NOERROR' ? 'nodata' : rcode;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

describeWith(['nsd'], 'NSD and --dns-zone', () => {
  const workdir = makeWorkdir();
  const texts = fc.sample(zone, ZONES);
  const names = texts.map((_, i) => `z${i}.test`);
  let nsd: Nsd;

  beforeAll(async () => {
    nsd = await startNsd(workdir, Object.fromEntries(names.map((name, i) => [name, texts[i] ?? ''])));
  });

  afterAll(async () => {
    await nsd.stop();
    removeWorkdir(workdir);
  });

  it('say the same', async () => {
    const port = Number(nsd.server.split(':')[1]);
    let compared = 0;
    for (const [i, text] of texts.entries()) {
      const origin = names[i] ?? '';
      const resolver = zoneFileResolver(`$ORIGIN ${origin}.\n@ NS ns\n${text}\n`, 'zone');
      for (const { labels, type } of fc.sample(question, 30)) {
        const name = [...labels, origin].join('.');
        const ours = await resolver.lookup(name, type);
        // A loop, or a name that grew too long: an authoritative server gives the part of the chain that it
        // has followed.
        if (ours.status === 'temperror') continue;
        const words =
          ours.status === 'found' ? ['found', ...ours.records.map(String)].join(' ') : ours.status;
        expect(words, `${name} ${type} in\n${text}`).toBe(await asked(port, name, type));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(ZONES * 10);
  });
});
