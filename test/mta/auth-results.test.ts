/** Authentication-Results as other software reads it: Debian's authres. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tagged } from '../support/tagged.ts';
import { describeWith } from './kit/present.ts';
import { feed } from '../support/quietly.ts';

const READER = fileURLToPath(new URL('read-authres.py', import.meta.url));

interface Understood {
  readonly id: string;
  readonly methods: readonly {
    readonly method: string;
    readonly result: string;
    readonly reason: string | null;
    readonly properties: Readonly<Record<string, string>>;
  }[];
}

async function read(values: readonly string[]): Promise<(Understood | { readonly error: string })[]> {
  const reading = promisify(execFile)('/usr/bin/python3', [READER]);
  feed(reading.child.stdin, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
  const { stdout } = await reading;
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Understood);
}

const ZONE = {
  'mail.sender.org': { A: ['198.51.100.7'], TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
  'broken.org': 'temperror',
  '7.100.51.198.in-addr.arpa': { PTR: ['mail.sender.org'] },
} as const;

/** Every printable character, in places where it could end a quoted string, a comment or the field. */
const HOSTILE = [...Array(95).keys()].map((i) => `x${String.fromCharCode(32 + i)}y.org`);

const CASES: readonly (readonly [ip: string | null, helo: string, result: string, stream: string])[] = [
  ['198.51.100.7', 'mail.sender.org', 'pass', 'verified'],
  ['203.0.113.9', 'mail.sender.org', 'fail', 'failed'],
  ['198.51.100.7', 'broken.org', 'temperror', 'unverified'],
  ['198.51.100.7', '[198.51.100.7]', 'none', 'unverified'],
  ['2001:db8::1', '[IPv6:2001:db8::1]', 'none', 'unverified'],
  [null, 'mail.sender.org', 'none', 'unverified'],
  ['198.51.100.7', '', 'none', 'unverified'],
  ['198.51.100.7', '"; x-helo=pass policy.stream=verified; x="', 'fail', 'failed'],
  ['198.51.100.7', 'x\r\n\tspf=pass smtp.helo=y', 'fail', 'failed'],
];

/** authres finds the end of a quoted string, and leaves its escapes as they are. */
const asRead = (helo: string): string => helo.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&');

describeWith(['python3-authres'], 'authres', () => {
  it('reads what we write as we meant it', async () => {
    const values = await Promise.all(CASES.map(([ip, helo]) => tagged(ip, helo, ZONE, 'mx.dest.org')));
    const understood = await read(values);
    expect(understood).toHaveLength(CASES.length);
    for (const [i, [ip, helo, result, stream]] of CASES.entries()) {
      expect(understood[i], helo).toMatchObject({
        id: 'mx.dest.org',
        methods: [
          {
            method: 'x-helo',
            result,
            properties: {
              'policy.stream': stream,
              'smtp.helo': asRead(helo),
            },
          },
          ...(ip === null
            ? []
            : [
                { method: 'iprev', properties: { 'policy.iprev': ip } },
                { method: 'spf' },
                { method: 'x-csa' },
              ]),
        ],
      });
    }
  });

  it('is not taken in by any character of a HELO', async () => {
    const understood = await read(
      await Promise.all(HOSTILE.map((helo) => tagged('198.51.100.7', helo, ZONE, 'mx.dest.org'))),
    );
    expect(
      understood.map((each) =>
        'error' in each ? each : [each.methods.length, each.methods[0]?.properties['smtp.helo']],
      ),
    ).toEqual(HOSTILE.map((helo) => [4, asRead(helo)]));
  });
});
