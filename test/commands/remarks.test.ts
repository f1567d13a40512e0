/**
 * What `check` remarks about the zones that it asked: in JSON, in text, and without weight in the verdict.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Remark } from '../../src/advice/remarks.ts';
import { remarks } from '../../src/commands/zone-questions.ts';
import { makeClient } from '../../src/core/client.ts';
import { runCommand } from '../support/run-command.ts';
import { zoneResolver } from '../support/zone.ts';

const directory = mkdtempSync(join(tmpdir(), 'remarks-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function check(helo: string, zone: string, ...flags: string[]): Promise<string> {
  const file = join(directory, 'zone');
  writeFileSync(file, `$ORIGIN example.org.\n${zone}\n`);
  const { code, out, err } = await runCommand(['check', '192.0.2.1', helo, '--dns-zone', file, ...flags]);
  expect(code).toBe(0);
  return out + err;
}

interface Case {
  readonly title: string;
  readonly zone: string;
  readonly helo?: string;
  /** `kind name text`: exactly these remarks. */
  readonly wanted: readonly (string | RegExp)[];
}

const CASES: readonly Case[] = [
  { title: 'a host like any other', zone: 'mail A 192.0.2.1', wanted: [] },
  {
    title: 'a name that there is by a wildcard',
    zone: '* A 192.0.2.1',
    wanted: [
      /^wildcard example\.org gives any name below it the A records of mail\.example\.org, which so need not/,
    ],
  },
  {
    title: 'a host beside a wildcard',
    zone: '* A 198.51.100.1\nmail A 192.0.2.1',
    wanted: [
      /^wildcard example\.org gives any name .* A record \(198\.51\.100\.1\); mail\.example\.org has its own/,
    ],
  },
  {
    title: 'a wildcard that holds addresses of the other type only',
    zone: '* AAAA 2001:db8::1\nmail A 192.0.2.1',
    wanted: [],
  },
  {
    title: 'a wildcard that a host below an existing name does not see',
    zone: '* A 198.51.100.1\na.sub A 192.0.2.1',
    helo: 'a.sub.example.org',
    wanted: [],
  },
  {
    title: 'a domain itself: nothing is asked at its registry',
    zone: '@ A 192.0.2.1',
    helo: 'example.org',
    wanted: [],
  },
  {
    title: 'a name in a loop of aliases',
    zone: 'mail CNAME other\nother CNAME mail',
    wanted: [
      'cname-loop mail.example.org is an alias in a loop: mail.example.org -> other.example.org -> mail.example.org',
    ],
  },
  {
    title: 'a name that leads into a loop',
    zone: 'mail CNAME one\none CNAME two\ntwo CNAME one',
    wanted: [
      'cname-loop mail.example.org is an alias in a loop: mail.example.org -> one.example.org -> two.example.org -> one.example.org',
    ],
  },
  {
    title: 'a chain of aliases without an end',
    zone: ['mail CNAME c0', ...Array.from({ length: 30 }, (_, i) => `c${i} CNAME c${i + 1}`)].join('\n'),
    wanted: ['cname-chain mail.example.org begins a chain of more than 20 aliases'],
  },
  {
    title: 'a loop behind a term of SPF',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 a:one.example.org -all"\none CNAME two\ntwo CNAME one',
    wanted: [/^cname-loop one\.example\.org /],
  },
  {
    title: 'mx of a name that has none',
    zone: 'mail TXT "v=spf1 mx -all"\nmail A 192.0.2.1',
    wanted: ['mx-without-hosts mail.example.org has no MX record, so that mx permits nobody'],
  },
  {
    title: 'mx of a name with the null MX',
    zone: 'mail TXT "v=spf1 mx -all"\nmail A 192.0.2.1\nmail MX 0 .',
    wanted: ['mx-without-hosts mail.example.org has the null MX of RFC 7505, so that mx permits nobody'],
  },
  {
    title: 'mx with hosts that do not exist',
    zone: 'mail TXT "v=spf1 mx -all"\nmail A 192.0.2.1\nmail MX 10 gone\nmail MX 20 there\nmail MX 30 text\nthere A 198.51.100.1\ntext TXT "x"',
    wanted: ['mx-host-gone gone.example.org is an MX host of mail.example.org and does not exist'],
  },
  {
    title: 'records that permit everybody, also in an include',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 include:in.example.org -all"\nin TXT "v=spf1 +all"',
    wanted: ['spf-all in.example.org +all permits every client: a pass identifies nobody'],
  },
  {
    title: 'ptr and the macro p',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 ptr a:%{p} -all"',
    wanted: [
      'spf-ptr mail.example.org ptr should not be used (RFC 7208 section 5.5)',
      'spf-ptr mail.example.org a:%{p} has %{p}, which should not be used (RFC 7208 section 7.2)',
    ],
  },
  {
    title: 'exists with the address of the client',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 exists:%{ir}.list.example.org -all"\n1.2.0.192.list A 127.0.0.2',
    wanted: [
      'spf-exists mail.example.org exists:%{ir}.list.example.org asks DNS about each client: whom it permits cannot be read from the record; for this one 1.2.0.192.list.example.org was asked: found',
    ],
  },
  {
    title: 'exists of a fixed name',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 exists:gone.%{d} -all"',
    wanted: [
      "spf-exists mail.example.org exists:gone.%{d} does not depend on the client's address: it permits everybody or nobody; for this one gone.mail.example.org was asked: nxdomain",
    ],
  },
  {
    title: 'exists that was not reached',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 ip4:192.0.2.1 exists:%{i}.list.example.org -all"',
    wanted: [/ cannot be read from the record$/],
  },
  {
    title: 'a record that is broken: the verdict has said so',
    zone: 'mail A 192.0.2.1\nmail TXT "v=spf1 ptr moo"',
    wanted: [],
  },
];

describe('check remarks of', () => {
  it.each(CASES)('$title', async ({ zone, helo = 'mail.example.org', wanted }) => {
    const report = JSON.parse(await check(helo, zone, '--json')) as { remarks: readonly Remark[] };
    const told = report.remarks.map(({ kind, name, text }) => `${kind} ${name} ${text}`);
    expect(told).toHaveLength(wanted.length);
    for (const [i, each] of wanted.entries()) {
      if (typeof each === 'string') expect(told[i]).toBe(each);
      else expect(told[i]).toMatch(each);
    }
    const text = await check(helo, zone);
    const lines = text.split('\n').map((line) => line.trim().replace(/ {2,}/, ' '));
    for (const line of told) expect(lines).toContain(line);
    expect(text.includes('Worth knowing of these zones')).toBe(wanted.length > 0);
  });
});

it('asks for one name beside the HELO name, and for no alias where nothing failed', async () => {
  const resolver = zoneResolver({});
  const own = {
    name: 'mail.example.org',
    type: 'A',
    status: 'found',
    records: ['192.0.2.1'],
    ttl: 60,
  } as const;
  const client = makeClient('192.0.2.1', 'mail.example.org');
  expect(await remarks({ client, dns: [own] }, resolver, 'made-up')).toEqual([]);
  expect(resolver.queries).toEqual(['made-up.example.org A']);
});

it('knows nothing of a wildcard where the question for it failed', async () => {
  const resolver = zoneResolver({ 'made-up.example.org': 'temperror' });
  const own = {
    name: 'mail.example.org',
    type: 'A',
    status: 'found',
    records: ['192.0.2.1'],
    ttl: 60,
  } as const;
  const client = makeClient('192.0.2.1', 'mail.example.org');
  expect(await remarks({ client, dns: [own] }, resolver, 'made-up')).toEqual([]);
});

it('makes up another name each time, and shows none of them', async () => {
  const zone = '* A 192.0.2.1';
  expect(await check('mail.example.org', zone)).toBe(await check('mail.example.org', zone));
});
