/** A claim, the name that a client gave: when it is looked up, and how it is judged. */
import { describe, expect, it, vi } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import type { Judged } from '../../src/policy/judge.ts';
import { PackedAssessment } from '../../src/state/packed-assessment.ts';
import { Claim, type Claimant } from '../../src/session/claim.ts';
import { CLIENT, list, milterOptions, type Setup, ZONE } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

const US = { name: 'ours.org', address: null };

function claimOf(helo: string, setup: Setup = {}, claimant: Partial<Claimant> = {}): Claim {
  return new Claim(milterOptions(setup, []), {
    ip: parseIp(CLIENT),
    helo,
    before: null,
    session: { id: 'abc.1' },
    ordinal: 1,
    ask: true,
    ...claimant,
  });
}

async function judged(claim: Claim): Promise<Judged> {
  return (await claim.verdict(US)) ?? expect.fail();
}

const ids = ({ verdict }: Judged): readonly string[] => verdict.counted.map(({ finding }) => finding.id);

it('asks DNS at once, and is judged when somebody wants it', async () => {
  const resolver = zoneResolver(ZONE);
  const claim = claimOf('mail.sender.org', { resolver });
  expect([claim.cache, claim.verdictNow(US)]).toEqual(['miss', null]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(resolver.queries).not.toEqual([]);
  const first = await judged(claim);
  expect(first.assessment.correspondence).toBe('exact');
  expect(claim.verdictNow(US)).toBe(first);
  expect(claim.verdict(US)).toBe(first);
});

it('of a client that is never refused is not looked up', () => {
  const resolver = zoneResolver(ZONE);
  const claim = claimOf('mail.sender.org', { resolver }, { ask: false });
  expect([claim.cache, claim.verdict(US), claim.verdictNow(US)]).toEqual(['none', null, null]);
  expect(resolver.queries).toEqual([]);
});

it('is a hit the second time, with a verdict at once', async () => {
  const options = milterOptions({}, []);
  const claimant = { ip: parseIp(CLIENT), helo: 'mail.sender.org', before: null, ask: true };
  const first = new Claim(options, { ...claimant, session: { id: 'a' }, ordinal: 1 });
  const joined = new Claim(options, { ...claimant, session: { id: 'b' }, ordinal: 1 });
  await Promise.all([judged(first), judged(joined)]);
  const second = new Claim(options, { ...claimant, session: { id: 'c' }, ordinal: 36 });
  expect([first.cache, joined.cache, second.cache]).toEqual(['miss', 'joined', 'hit']);
  expect(second.verdictNow(US)?.elapsedMs).toBe(0);
  expect(second.verdictNow(US)).toBe(second.verdict(US));
  expect([first.reference, second.reference]).toEqual(['a.1', 'c.10']);
});

it('of a cached name is made whole for a verdict only, and does not need the cache any more', async () => {
  const options = milterOptions({}, []);
  const claimant = { ip: parseIp(CLIENT), helo: 'mail.sender.org', before: null, ask: true };
  const first = await judged(new Claim(options, { ...claimant, session: { id: 'a' }, ordinal: 1 }));
  const { prototype } = PackedAssessment;
  const whole = vi.spyOn(prototype, 'whole');
  const waiting = new Claim(options, { ...claimant, session: { id: 'b' }, ordinal: 1 });
  options.assessor.forget();
  expect(whole).not.toHaveBeenCalled();
  expect((await judged(waiting)).assessment).toEqual(first.assessment);
  waiting.verdictNow(US);
  expect(whole).toHaveBeenCalledTimes(1);
  whole.mockRestore();
});

describe('what is known of the session counts', () => {
  it.each<[title: string, helo: string, setup: Setup, claimant: Partial<Claimant>, id: string]>([
    ['another name before', 'mail.sender.org', {}, { before: claimOf('other.sender.org') }, 'helo-changed'],
    ['a name of ours', 'mail.ours.org', {}, {}, 'helo-claims-us'],
    ['an access list', 'mail.sender.org', { rules: { access: list('deny *') } }, {}, 'helo-denied'],
    ['many names', 'mail.sender.org', { rules: { churnLimit: 0 } }, {}, 'helo-churn'],
  ])('%s', async (_, helo, setup, claimant, id) => {
    expect(ids(await judged(claimOf(helo, setup, claimant)))).toContain(id);
  });
});

it.each([
  ['gone.strange.org', false, 'tempfail'],
  ['gone.strange.org', true, 'accept'],
  ['Jupiter', true, 'reject'],
])('%s, the resolver out of order: %s is %s', async (helo, ill, wanted) => {
  const asked: number[] = [];
  const claim = claimOf(helo, { wasDnsIll: (begun) => asked.push(begun) > 0 && ill, now: () => 7 });
  const { action, dnsIll } = await judged(claim);
  expect([action, dnsIll, asked]).toEqual([wanted, ill, [7]]);
});

it.each([true, false])('tells how long it took, unless it was dropped (%s)', async (dropped) => {
  const told: string[] = [];
  const timing = { assessed: () => told.push('assessed'), waited: () => told.push('waited') };
  const claim = claimOf('mail.sender.org', { timing });
  if (dropped) claim.drop();
  await judged(claim);
  expect(told).toEqual(dropped ? ['waited'] : ['assessed', 'waited']);
});
