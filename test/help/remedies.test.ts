/** What a postmaster is told to do about a record, done. */
import { expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { checkHelo } from '../../src/core/spf/index.ts';
import { REMEDIES } from '../../src/help/remedies.ts';
import { zoneResolver } from '../support/zone.ts';

const CLIENT = '203.0.113.25';

it.each([
  'v=spf1 -all',
  'v=spf1 mx -all',
  'v=spf1 -all mx',
  'v=spf1 mx -all exp=why.example.org',
  'v=spf1 -ip4:203.0.113.0/24 ?all',
  'v=spf1 redirect=example.net',
  'v=spf1',
])('an address added to %j as the page says is permitted', async (record) => {
  const [way] = REMEDIES['permit-by-spf'].ways;
  const [, term = '', place = ''] =
    /Add ‹([^›]+)›.* right after ‹([^›]+)›/.exec(way?.how ?? '') ?? expect.fail();
  const edited = record.replace(place, `${place} ${term}`);
  const ip = parseIp(CLIENT) ?? expect.fail();
  const zone = { 'mail.example.org': { TXT: [edited] } };
  expect((await checkHelo(ip, 'mail.example.org', zoneResolver(zone))).result).toBe('pass');
});
