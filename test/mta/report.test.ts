/**
 * The letter of a report does what it promises: its records are pasted into the zone of a real name server,
 * and the next session through Postfix is verified.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { OURS, type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

/** Part of a record that has several strings. */
const TEN = ' ip4:203.0.113.0/24'.repeat(10);
/** Each has a domain of its own, and so a letter. */
const HOSTS = [
  { helo: 'mail.gone.org', ip: '198.51.100.11', zone: 'gone.org', text: 'www A 203.0.113.1' },
  { helo: 'mail.moved.org', ip: '198.51.100.12', zone: 'moved.org', text: 'mail A 203.0.113.2' },
  {
    helo: 'mail.denies.org',
    ip: '198.51.100.13',
    zone: 'denies.org',
    text: `mail A 198.51.100.13\nmail TXT "v=spf1 ip4:203.0.113.3${TEN}" "${TEN}" "${TEN} -all"`,
  },
  { helo: 'mail.dangling.org', ip: '198.51.100.14', zone: 'dangling.org', text: 'mail CNAME nowhere' },
] as const;
/** The ways out that a letter may offer for a record of the zone: each is tried. */
const WAYS = ['first', 'last'] as const;

describeWith(['postfix', 'nsd'], 'the letters of a report', () => {
  let workdir: string;
  let log: string;
  let postfix: Postfix;
  let nsd: Nsd;
  let programs: Program[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    log = join(workdir, 'decisions.jsonl');
    nsd = await startNsd(workdir, zonesOf(HOSTS.map(({ zone, text }) => [zone, text])));
    const options = ['--dns-server', nsd.server, '--grace', '0s', '--policy', 'emailcore'];
    // One for each round besides, as they remember what they have asked.
    const watching = ['--observe', '--decision-log', log];
    programs = await Promise.all(
      [watching, ...WAYS.map(() => [])].map((more) => startProgram([...options, ...more])),
    );
    postfix = await startPostfix(workdir, { mainCf: '', milters: programs.map(({ socket }) => socket) });
  });

  afterAll(async () => {
    await postfix.stop();
    await Promise.all(programs.map((program) => program.stop()));
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function send(service: number, ip: string, helo: string): Promise<number> {
    const client = await SmtpClient.connect(postfix.ports[service] ?? 0);
    await client.become(ip, helo);
    const { code } = await client.send();
    client.close();
    return code;
  }

  /** The letters to all of them, by domain. */
  async function letters(): Promise<Map<string, string>> {
    await vi.waitFor(() => {
      const text = existsSync(log) ? readFileSync(log, 'utf8') : '';
      for (const { helo } of HOSTS) expect(text).toContain(helo);
    }, 5000);
    const args = ['report', '--no-config', '--policy', 'emailcore', '--json', log];
    const told = execFileSync(OURS.node, [OURS.cli, ...args], { encoding: 'utf8' });
    const { hit } = JSON.parse(told) as { hit: { name: string; letter: { body: string } }[] };
    return new Map(hit.map(({ name, letter }) => [name, letter.body]));
  }

  it('are enough, whichever set of records is taken', async () => {
    for (const { ip, helo } of HOSTS) expect(await send(0, ip, helo)).toBe(250);
    const told = await letters();
    const port = Number(nsd.server.split(':')[1]);
    for (const [i, which] of WAYS.entries()) {
      const zones = HOSTS.map(({ zone, text }) => {
        const way = recordsIn(told.get(zone) ?? '').at(which === 'first' ? 0 : -1) ?? [];
        expect(way.length, zone).toBeGreaterThan(0);
        return [zone, pasted(zone, text, way)] as const;
      });
      await nsd.stop();
      nsd = await startNsd(workdir, zonesOf(zones), { port });
      for (const { ip, helo } of HOSTS) expect(await send(i + 1, ip, helo), helo).toBe(250);
      const decisions = await programs[i + 1]?.decisions();
      for (const { helo } of HOSTS) {
        const line = decisions?.find((each) => each.includes(` helo=${helo} `));
        expect(line, `${helo}, by its ${which} records`).toMatch(/ action=accept .*stream=verified/);
      }
    }
  });
});

/** With the trees above, so that what is not there is denied. */
function zonesOf(zones: readonly (readonly [string, string])[]): Record<string, string> {
  const org = zones.map(([name]) => `${name}. IN NS ns.${name}.`).join('\n');
  return { org, '100.51.198.in-addr.arpa': '', ...Object.fromEntries(zones) };
}

/** The records of each way that has some, a line each, as they stand in the letter. */
function recordsIn(letter: string): string[][] {
  return letter
    .split(/^ {3}(?:[a-z]\) )?(?=\S)/m)
    .filter((part) => part.startsWith('Records in DNS'))
    .map((part) => part.split('\n').slice(1).join('\n').trim())
    .map((text) => text.split(/\n(?= {6}\S+ IN )/));
}

/** What is marked to be changed or removed goes, by its name and type; the rest is pasted as it is. */
function pasted(zone: string, text: string, records: readonly string[]): string {
  const isOld = (record: string): boolean => /; (?:change|remove)$/.test(record);
  const gone = records
    .filter(isOld)
    .map((record) => /^\s*(\S+)\. IN (\S+) /.exec(record)?.slice(1).join(' ') ?? '');
  const kept = text.split('\n').filter((line) => {
    const [owner = '', type = ''] = line.split(' ');
    return !gone.includes(`${owner}.${zone} ${type}`);
  });
  const fresh = records.filter((record) => !isOld(record)).map((record) => record.trim());
  // A name server knows nothing of the reverse tree here.
  return [...kept, ...fresh.filter((record) => !record.includes('.arpa. IN PTR'))].join('\n');
}
