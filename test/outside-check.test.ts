/**
 * A check from outside, as an operator writes one, declares all that others need to know about it: it takes
 * part in stream, access list, Authentication-Results, explanation and reply, though no file of ours knows
 * it.
 */
import { mismatchAlone } from '../src/policy/mismatch-alone.ts';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../src/commands/command-line.ts';
import { readConfig } from '../src/config/config.ts';
import { assess } from '../src/core/assess.ts';
import type { Assessment } from '../src/core/assessment.ts';
import { pass } from '../src/core/check.ts';
import { makeClient } from '../src/core/client.ts';
import { zoneFileResolver } from '../src/dns/zone-file.ts';
import { decide } from '../src/policy/decide.ts';
import { makePolicy, type Verdict } from '../src/policy/policy.ts';
import { smtpReply } from '../src/policy/smtp-reply.ts';
import { readRules } from '../src/service/read-rules.ts';
import { type Registry, registryOf } from '../src/service/registry.ts';
import { authResults } from '../src/session/auth-results.ts';
import { fakeTerminal } from './support/terminal.ts';

/** The owner of a name lists its partners: at `_partner` below the name there is yes, no, or nothing. */
const PARTNER = `
const spec = { summary: 's', reference: 'r', weight: 10, reason: 'w' };
export const partner = {
  name: 'partner',
  findings: {
    'no-partner': {
      ...spec, basis: 'declared', denies: 'name', status: '7.2', reply: 'HELO {helo}: {client} is no partner ({said})',
    },
    'doubtful-partner': { ...spec, basis: 'declared', denies: 'none', weight: 2, reply: 'HELO {helo}: {said}' },
  },
  method: {
    heading: 'partner of the name',
    about: 'helo',
    access: { key: 'partner', takes: 'pass' },
    results: { method: 'x-helo-partner', property: 'smtp.helo' },
  },
  async run({ helo }, resolver) {
    const answer = await resolver.lookup('_partner.' + helo.text, 'TXT');
    const said = answer.status === 'found' ? answer.records[0] : '';
    if (said === 'no') return { id: 'no-partner', evidence: { said } };
    if (said === 'perhaps') return { id: 'doubtful-partner', evidence: { said } };
    return said === 'yes' ? 'pass' : 'none';
  },
};
export const member = {
  name: 'member',
  findings: {
    'member-lapsed': {
      ...spec, basis: 'inferred', weight: 9, exclusive: 'membership', reply: '{client} was a member',
    },
    'member-unknown': {
      ...spec, basis: 'inferred', weight: 8, exclusive: 'membership', reply: '{client} is no member',
    },
    'odd-hour': { ...spec, basis: 'local', excusedByOptOut: true, reply: '{client} comes at an odd hour' },
  },
  method: {
    heading: 'membership',
    about: 'client',
    access: { key: 'member', takes: 'name', names: 'groups' },
    results: { method: 'x-helo-member', property: 'policy.member' },
  },
  run({ ip, helo }) {
    if (helo.text.startsWith('[')) return { id: 'odd-hour', evidence: {} };
    return ip.text === '198.51.100.7'
      ? { result: 'pass', finding: null, evidence: { groups: 'mail.club.org gold.club.org' } }
      : 'none';
  },
};
`;

const ZONE = ['yes', 'no', 'perhaps']
  .map((said) => `${said}.org. 60 IN A 198.51.100.7\n_partner.${said}.org. 60 IN TXT "${said}"\n`)
  .join('');

let directory: string;
let registry: Registry;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(directory, 'partner.mjs'), PARTNER);
  writeFileSync(join(directory, 'zone'), ZONE);
  registry = await registryOf(readConfig(new Map([['check', [join(directory, 'partner.mjs')]]])));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function judge(
  helo: string,
  ip = '198.51.100.7',
): Promise<{ assessment: Assessment; verdict: Verdict }> {
  const assessment = await assess(makeClient(ip, helo), {
    resolver: zoneFileResolver(ZONE, 'zone'),
    checks: registry.checks,
    onCheckError: (_, e) => {
      throw e;
    },
  });
  return { assessment, verdict: decide(assessment, makePolicy('rfc5321', registry.findings)) };
}

it.each([
  ['yes.org', 'exact accept verified'],
  ['no.org', 'exact reject failed'],
  ['perhaps.org', 'exact accept verified'],
])('the stream of %s: %s', async (helo, wanted) => {
  const { assessment, verdict } = await judge(helo);
  expect(`${assessment.correspondence} ${verdict.disposition} ${verdict.stream}`).toBe(wanted);
});

it('the reply is the one that the finding declares', async () => {
  const { assessment, verdict } = await judge('no.org');
  const options = { helpUrl: null, contact: null, templates: new Map() };
  expect(
    smtpReply(verdict, { assessment, findings: registry.findings, words: options, reference: null }),
  ).toEqual({
    code: 550,
    enhancedCode: '5.7.2',
    text: '[no-partner] HELO no.org: 198.51.100.7 is no partner (no)',
  });
});

describe('the access list', () => {
  async function matched(line: string, helo: string, ip?: string): Promise<boolean> {
    writeFileSync(join(directory, 'access'), `${line}\n`);
    const config = readConfig(new Map([['access', [join(directory, 'access')]]]));
    const { access } = await readRules(config, registry, () => undefined);
    return access.match((await judge(helo, ip)).assessment, 0) !== null;
  }

  it.each([
    ['allow yes.org partner=pass', 'yes.org', true],
    ['allow no.org partner=pass', 'no.org', false],
    ['allow other.org partner=pass', 'other.org', false],
    ['allow yes.org member=gold.club.org', 'yes.org', true],
    ['allow yes.org member=.club.org partner=pass', 'yes.org', true],
    ['allow yes.org member=club.org', 'yes.org', false],
  ])('%s for %s: %s', async (line, helo, wanted) => {
    expect(await matched(line, helo)).toBe(wanted);
  });

  it('takes nothing from a check that did not pass', async () => {
    expect(await matched('allow yes.org member=.club.org', 'yes.org', '203.0.113.1')).toBe(false);
  });

  it.each([
    ['deny a b', 'access:1: "b" is none of ip=, member=, partner=, ptr=, spf=, until=, text='],
    ['deny a partner=yes', 'access:1: partner= can only be pass'],
    ['deny a member=x..y', 'access:1: member=x..y is not a name'],
    [
      'allow a',
      'access:1: an allow needs proof, ip=, member=, partner=pass, ptr= or spf=pass: anybody can give a name',
    ],
  ])('%s is refused with the words that there are', async (line, message) => {
    await expect(matched(line, 'yes.org')).rejects.toThrow(message);
  });

  it.each([
    ['deny a partner=pass', false],
    ['deny a spf=pass', false],
    ['deny a member=club.org', true],
    ['deny a ptr=club.org', true],
  ])('%s looks up what is of the client, whatever its HELO: %s', async (line, needs) => {
    writeFileSync(join(directory, 'access'), line);
    const config = readConfig(new Map([['access', [join(directory, 'access')]]]));
    expect((await readRules(config, registry, () => undefined)).access.needsReverse).toBe(needs);
  });
});

it('Authentication-Results have its words, what is about the client first', async () => {
  const { assessment, verdict } = await judge('no.org');
  const policy = makePolicy('rfc5321', registry.findings);
  const judged = { assessment, verdict, policy, ownPolicy: null, shadow: null, shadowPolicy: null };
  const field = authResults(
    'mx.dest.org',
    {
      ...judged,
      access: null,
      ramp: null,
      streamLimit: null,
      action: 'accept',
      dnsIll: false,
      elapsedMs: 0,
      session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: null, address: null } },
    },
    registry.checks,
  );
  expect(field.split(';\n\t').slice(1)).toEqual([
    'x-helo=fail reason="iprev-none no-partner" policy.correspondence=exact policy.stream=failed smtp.helo=no.org',
    'iprev=permerror policy.iprev=198.51.100.7',
    'x-helo-member=pass policy.member=198.51.100.7',
    'spf=none smtp.helo=no.org',
    'x-csa=none smtp.helo=no.org',
    'x-helo-partner=fail smtp.helo=no.org',
  ]);
});

describe('the policy', () => {
  it('adds up no two findings of a group', () => {
    const weights = new Map(
      [...registry.findings.keys()].map((id) => [id, id.startsWith('member-') ? 1 : 0]),
    );
    const policy = makePolicy('rfc5321', registry.findings, { weights });
    expect(mismatchAlone(policy).findings).toEqual([{ id: 'member-lapsed', weight: 1 }]);
  });

  it('excuses what says so for a client that opts out', async () => {
    const [own, another] = [await judge('[198.51.100.7]'), await judge('[198.51.100.8]')];
    const weight = ({ verdict }: typeof own): number | undefined =>
      verdict.counted.find(({ finding }) => finding.id === 'odd-hour')?.weight;
    expect([weight(own), weight(another)]).toEqual([0, 10]);
  });
});

describe('what is shown of a client', () => {
  const name = { helo: 'mail.other.org', A: '192.0.2.8' };
  const specs = (proof: string): string =>
    `{ 'no-guest': { summary: 's', reference: 'r', weight: 9, reason: 'w', reply: 'x', basis: 'local', excusedByProof: { ${proof}: 1 } } }`;

  async function assessed(source: string): Promise<{ assessment: Assessment; weight: number | undefined }> {
    const file = join(directory, `guest-${randomUUID()}.mjs`);
    writeFileSync(file, source);
    const own = await registryOf(readConfig(new Map([['check', [file]]])));
    const zone = `${name.helo}. 60 IN A ${name.A}\n`;
    const assessment = await assess(makeClient('192.0.2.9', name.helo), {
      resolver: zoneFileResolver(zone, 'zone'),
      checks: own.checks,
      onCheckError: (_, error) => {
        throw error;
      },
    });
    const { counted } = decide(assessment, makePolicy('rfc5321', own.findings));
    return { assessment, weight: counted.find(({ finding }) => finding.id === 'no-guest')?.weight };
  }

  it.each(['exact', 'authorized', 'aligned', 'reverse'])('%s, by a check from outside', async (proof) => {
    const { assessment, weight } = await assessed(`export default [
      { name: 'guest', findings: ${specs(proof)}, run: () => ({ id: 'no-guest', evidence: {} }) },
      {
        name: 'host', findings: {}, provesCorrespondence: true,
        run: () => ({ result: 'pass', finding: null, proofs: ['${proof}'] }),
      },
    ]`);
    expect([assessment.proofs, assessment.correspondence, weight]).toEqual([[proof], 'near', 1]);
  });

  it('that it is another’s, so that it is no neighbour', async () => {
    const { assessment } = await assessed(
      `export default { name: 'lease', findings: {}, run: () => ({ result: 'none', finding: null, foreign: true }) }`,
    );
    expect(assessment.correspondence).toBe('none');
    expect(assessment.findings.map(({ id }) => id)).toContain('helo-mismatch');
  });

  it('where its name leads, by another way than DNS', async () => {
    const { assessment } = await assessed(`export default {
      name: 'hosts', findings: {}, resolvesTo: 'at',
      run: () => ({ result: 'pass', finding: null, evidence: { at: '203.0.113.5' } }),
    }`);
    expect(assessment.mismatch).toEqual({ helo: name.helo, addresses: name.A });
    const bare = await assess(makeClient('192.0.2.9', 'host.lan'), {
      resolver: zoneFileResolver('', 'zone'),
      checks: [{ name: 'hosts', findings: {}, resolvesTo: 'at', run: () => pass({ at: '203.0.113.5' }) }],
      onCheckError: () => undefined,
    });
    expect(bare.mismatch).toEqual({ helo: 'host.lan', addresses: '203.0.113.5' });
  });
});

describe('check', () => {
  async function check(helo: string, ...more: string[]): Promise<string> {
    let out = '';
    const terminal = fakeTerminal({ write: (text) => (out += text), writeError: (text) => (out += text) });
    const files = ['--check', join(directory, 'partner.mjs'), '--dns-zone', join(directory, 'zone')];
    expect(await runCommandLine(['check', '198.51.100.7', helo, ...files, ...more], '1', terminal)).toBe(0);
    return out;
  }

  it('explains it as a method, and who says no', async () => {
    const text = await check('no.org');
    expect(text).toMatch(/^ {2}partner of the name +fail +no-partner {2}said=no$/m);
    expect(text).toMatch(/^ {2}membership +pass +groups=mail\.club\.org gold\.club\.org$/m);
    expect(text).toMatch(
      /^ {2}so: exact, stream failed\n {2}\(the owner of the name says no: no-partner\)$/m,
    );
    expect(text).toMatch(/^ {2}rfc5321 +reject +score 10: no-partner 10$/m);
    expect(text).not.toContain('  no-partner: s');
  });

  it('says nothing of the kind where nobody does', async () => {
    expect(await check('perhaps.org')).not.toContain('says no');
  });

  it('reports it as JSON', async () => {
    expect(JSON.parse(await check('no.org', '--json'))).toMatchObject({
      correspondence: 'exact',
      stream: 'failed',
      findings: [{ id: 'iprev-none' }, { id: 'no-partner', basis: 'declared', evidence: { said: 'no' } }],
      verdicts: { rfc5321: { disposition: 'reject', cause: 'no-partner' } },
    });
  });
});
