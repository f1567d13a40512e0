/**
 * The awkward SPF records, served by NSD through Unbound, to us and to other implementations of SPF. What
 * these say is recorded in test/fixtures/spf-peers.json, from which docs/spf-differences.md is generated:
 * RECORD=1 records it anew. mailauth is not packaged by Debian: it is asked if MAILAUTH names a directory
 * with it; otherwise the record is taken as it is.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseIp } from '../../src/core/ip.ts';
import { checkHost } from '../../src/core/spf/index.ts';
import { createStubResolver } from '../../src/dns/stub-resolver.ts';
import { awkwardRecords, awkwardZone } from '../support/spf-awkward.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { describeWith } from './kit/present.ts';
import { askPeer, PORT } from './kit/spf-peers.ts';
import { startUnbound, type Unbound } from './kit/unbound.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const FILE = new URL('../fixtures/spf-peers.json', import.meta.url);
const mailauth = (process.env['MAILAUTH'] ?? '') === '' ? [] : ['mailauth'];
const peers = ['pyspf', 'Mail::SPF', 'libspf2', ...mailauth];
const records = awkwardRecords();

type Results = Readonly<Record<string, string>>;

/** What a later version says otherwise than that of the page: Mail::SPF 3.20250505, of Debian 13. */
const LATER: Readonly<Record<string, Results>> = {
  'Mail::SPF': {
    'a-empty-label': 'permerror',
    'ip6-0-of-4': 'fail',
    'ip6-mapped-network': 'fail',
    'macro-empty-label': 'none',
  },
};

describeWith(
  ['nsd', 'unbound', 'unshare', 'python3-spf', 'libmail-spf-perl', 'spfquery.libspf2', 'own network'],
  'awkward SPF records',
  () => {
    const workdir = makeWorkdir();
    let nsd: Nsd;
    let unbound: Unbound;

    beforeAll(async () => {
      nsd = await startNsd(workdir, { '': awkwardZone() });
      unbound = await startUnbound(workdir, { zones: [''], upstream: nsd.server, port: PORT });
    });

    afterAll(async () => {
      await unbound.stop();
      await nsd.stop();
      removeWorkdir(workdir);
    });

    it('get the right result from us', async () => {
      const resolver = createStubResolver({ servers: [unbound.server] });
      for (const { name, ip, domain, sender, right } of records) {
        const address = parseIp(ip) ?? expect.fail(ip);
        const { result } = await checkHost({ ip: address, domain, sender, helo: domain }, resolver);
        expect.soft(right, name).toContain(result);
      }
    });

    // Some start a process for each record.
    it.each(peers)('get from %s what the page shows', { timeout: 300_000 }, (peer) => {
      const results = askPeer(peer, records, workdir);
      const told = Object.fromEntries(records.map(({ name }, i) => [name, results[i] ?? '']));
      const shown = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Results>;
      if (process.env['RECORD'] === '1') {
        writeFileSync(FILE, `${JSON.stringify({ ...shown, [peer]: told }, null, 2)}\n`);
        return;
      }
      const known = shown[peer] ?? {};
      expect(Object.keys(told)).toEqual(Object.keys(known));
      for (const { name } of records)
        expect.soft([known[name], LATER[peer]?.[name]], name).toContain(told[name]);
    });
  },
);
