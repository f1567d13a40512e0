/** Client SMTP Authorization: the draft's table, and what Exim does where the draft is silent. */
import { describe, expect, it } from 'vitest';
import { checkCsa, type CsaOutcome } from '../../src/core/csa.ts';
import { parseIp } from '../../src/core/ip.ts';
import type { Answer, RecordData, RecordType, Resolver } from '../../src/core/resolver.ts';
import { type Zone, zoneResolver } from '../support/zone.ts';

const V4 = '192.0.2.1';
const V6 = '2001:db8::1';
const TARGET = 'out.example.org';
const HOST: Zone = { [TARGET]: { A: ['192.0.2.9', V4], AAAA: ['2001:DB8::0:1'] } };

function srv(priority: number, weight: number, port: number, target = TARGET): RecordData['SRV'] {
  return { priority, weight, port, target };
}

function own(...records: RecordData['SRV'][]): Zone {
  return { '_client._smtp.mail.example.org': { SRV: records }, ...HOST };
}

async function csa(
  zone: Zone,
  client = V4,
  name = 'mail.example.org',
): Promise<CsaOutcome & { queries: string[] }> {
  const ip = parseIp(client);
  if (ip === null) throw new Error(client);
  const resolver = zoneResolver(zone);
  return { ...(await checkCsa(ip, name, resolver)), queries: resolver.queries };
}

describe("the name's own record", () => {
  const rows: [string, Zone, string, CsaOutcome['status'], string][] = [
    ['authorized', own(srv(1, 2, 0)), V4, 'ok', '192.0.2.1 is an address of out.example.org'],
    ['authorized, IPv6', own(srv(1, 2, 0)), V6, 'ok', '2001:db8::1 is an address of out.example.org'],
    [
      'authorized, reserved port bits',
      own(srv(1, 2, 0xffff)),
      V4,
      'ok',
      '192.0.2.1 is an address of out.example.org',
    ],
    [
      'another address',
      own(srv(1, 2, 0)),
      '192.0.2.2',
      'fail',
      '192.0.2.2 is not an address of out.example.org',
    ],
    ['denied', own(srv(1, 0, 0)), V4, 'fail', 'host name not authorized'],
    ['denied, target ignored', own(srv(1, 1, 1)), V4, 'fail', 'host name not authorized'],
    ['authorized, not by address', own(srv(1, 3, 0)), V4, 'unknown', 'not to be checked by address'],
    ['reserved weight bits', own(srv(1, 6, 0)), V4, 'unknown', 'not to be checked by address'],
    ['another version', own(srv(2, 0, 0), srv(0, 2, 0)), V4, 'unknown', 'no record of version 1'],
    ['no target', own(srv(1, 2, 0, '.')), V4, 'fail', 'no authorized addresses'],
    ['no target, as Node tells it', own(srv(1, 2, 0, '')), V4, 'fail', 'no authorized addresses'],
    [
      'a target without addresses',
      own(srv(1, 2, 0, 'no.example.org')),
      V4,
      'fail',
      'no authorized addresses',
    ],
    [
      'a target that is no name',
      own(srv(1, 2, 0, 'a\0b.example.org')),
      V4,
      'unknown',
      'the target is not a name',
    ],
    [
      'two targets',
      own(srv(1, 2, 0, 'no.example.org'), srv(1, 2, 0)),
      V4,
      'ok',
      '192.0.2.1 is an address of out.example.org',
    ],
    [
      'a denial beside an authorization',
      own(srv(1, 0, 0), srv(1, 2, 0)),
      V4,
      'ok',
      '192.0.2.1 is an address of out.example.org',
    ],
    [
      'the same for another client',
      own(srv(1, 2, 0), srv(1, 0, 0)),
      '192.0.2.2',
      'fail',
      'host name not authorized',
    ],
    [
      'a denial beside a target that does not answer',
      { ...own(srv(1, 2, 0), srv(1, 1, 0, '.')), [TARGET]: 'temperror' },
      V4,
      'defer',
      'out.example.org A: servfail',
    ],
    [
      'a denial before a target that does not answer',
      { ...own(srv(1, 1, 0, '.'), srv(1, 2, 0)), [TARGET]: 'temperror' },
      V4,
      'defer',
      'out.example.org A: servfail',
    ],
    [
      'trouble with the target',
      { ...own(srv(1, 2, 0)), [TARGET]: 'temperror' },
      V4,
      'defer',
      'out.example.org A: servfail',
    ],
    [
      'trouble',
      { '_client._smtp.mail.example.org': 'temperror' },
      V4,
      'defer',
      '_client._smtp.mail.example.org: servfail',
    ],
  ];
  it.each(rows)('%s', async (_title, zone, client, status, detail) => {
    expect(await csa(zone, client)).toMatchObject({ status, detail });
  });

  it('is evidence, with the least TTL', async () => {
    const zone: Zone = {
      '_client._smtp.mail.example.org': { SRV: [srv(1, 2, 0)], ttl: 600 },
      [TARGET]: { A: [V4], ttl: 60 },
    };
    const { record, ttl, queries } = await csa(zone);
    expect({ record, ttl }).toEqual({
      record: '_client._smtp.mail.example.org SRV 1 2 0 out.example.org',
      ttl: 60,
    });
    expect(queries).toContain('out.example.org A');
  });

  it.each<[string, Zone]>([
    ['what a parent says', { '_client._smtp.example.org': { SRV: [srv(1, 1, 1)] } }],
    ['that a parent does not answer', { '_client._smtp.example.org': 'temperror' }],
  ])('is final: it does not matter %s', async (_, parent) => {
    const { status, record } = await csa({ ...own(srv(1, 3, 0)), ...parent });
    expect({ status, record }).toEqual({
      status: 'unknown',
      record: '_client._smtp.mail.example.org SRV 1 3 0 out.example.org',
    });
  });
});

it('a resolver that throws is told once', async () => {
  const ip = parseIp(V4);
  if (ip === null) throw new Error(V4);
  const broken = { lookup: (name: string) => Promise.reject(new Error(name)) };
  await expect(checkCsa(ip, 'mail.example.org', broken)).rejects.toThrow('_client._smtp.mail.example.org');
  // An unhandled rejection would be reported now, and end the run.
  await new Promise((resolve) => setImmediate(resolve));
});

describe('parents', () => {
  const explicit: Zone = { '_client._smtp.example.org': { SRV: [srv(1, 1, 1)] } };
  const rows: [string, Zone, CsaOutcome['status'], string][] = [
    ['explicit on nxdomain', explicit, 'fail', 'explicit authorization required'],
    [
      'explicit on nodata',
      { ...explicit, '_client._smtp.mail.example.org': { TXT: ['x'] } },
      'fail',
      'explicit authorization required',
    ],
    ['no port bit', { '_client._smtp.example.org': { SRV: [srv(1, 1, 2)] } }, 'unknown', 'no record'],
    ['another version', { '_client._smtp.example.org': { SRV: [srv(2, 1, 1)] } }, 'unknown', 'no record'],
    [
      'not the domain itself',
      { '_client._smtp.example.org': { SRV: [srv(1, 0, 0)] } },
      'unknown',
      'no record',
    ],
    ['trouble', { '_client._smtp.example.org': 'temperror' }, 'defer', '_client._smtp.example.org: servfail'],
    ['nothing', {}, 'unknown', 'no record'],
  ];
  it.each(rows)('%s', async (_title, zone, status, detail) => {
    expect(await csa(zone)).toMatchObject({ status, detail });
  });

  it('are asked from the registrable domain down, five at most, never the suffix', async () => {
    const { queries } = await csa({}, V4, 'a.b.c.d.e.f.g.example.co.uk');
    expect(queries).toEqual(
      [
        'a.b.c.d.e.f.g.example',
        'example',
        'g.example',
        'f.g.example',
        'e.f.g.example',
        'd.e.f.g.example',
      ].map((name) => `_client._smtp.${name}.co.uk SRV`),
    );
  });

  it('one that says so outweighs trouble with another', async () => {
    const zone: Zone = {
      '_client._smtp.example.org': 'temperror',
      '_client._smtp.b.example.org': { SRV: [srv(1, 0, 1)] },
    };
    const { status, record } = await csa(zone, V4, 'a.b.example.org');
    expect({ status, record }).toEqual({
      status: 'fail',
      record: '_client._smtp.b.example.org SRV 1 0 1 out.example.org',
    });
  });
});

describe('what cannot be asked or read', () => {
  it.each([
    '192.0.2.1',
    '[192.0.2.1]',
    'localhost',
    '',
    'co.uk',
    'a\0b.example.org',
    `${'a.'.repeat(121)}example.org`,
  ])('%j is unknown', async (name) => {
    const { status, queries } = await csa({}, V4, name);
    expect(status).toBe('unknown');
    expect(queries.filter((query) => !query.startsWith('_client._smtp.co.uk'))).toEqual([]);
  });

  it.each([
    ['badresp', 'defer'],
    ['timeout', 'defer'],
    ['budget', 'defer'],
    ['deadline', 'defer'],
  ])('%s is %s', async (detail, status) => {
    const resolver: Resolver = {
      lookup: <T extends RecordType>(): Promise<Answer<T>> =>
        Promise.resolve({ status: 'temperror', detail }),
    };
    const ip = parseIp(V4);
    expect(ip === null ? null : (await checkCsa(ip, 'mail.example.org', resolver)).status).toBe(status);
  });
});
