import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surprises } from '../../src/config/surprises.ts';
import { readConfig } from '../../src/config/config.ts';
import { prepare } from '../../src/service/live.ts';
import { socketsOf } from '../../src/config/addresses.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'surprises-'));
  writeFileSync(join(directory, 'recipients'), 'dest.test strict\n');
  writeFileSync(join(directory, 'zone'), '');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

async function advised(given: Readonly<Record<string, string[]>>): Promise<string[]> {
  const texts = Object.entries(given).map(
    ([key, values]) => [key, values.map((text) => text.replace('DIR', directory))] as const,
  );
  const config = readConfig(new Map(texts));
  const prepared = await prepare(config, () => undefined);
  return surprises(config, prepared, socketsOf(config)).map(({ key, text }) => `${key}: ${text}`);
}

describe('surprises', () => {
  it.each<[Record<string, string[]>, RegExp | null]>([
    [{}, null],
    [
      { policy: ['emailcore'] },
      /^policy: crosses RFC 5321 §4\.1\.4: helo-mismatch 10 alone reaches reject-at 10/,
    ],
    [{ policy: ['strict'] }, /^policy: crosses .* helo-mismatch 10 alone reaches reject-at 10/],
    // Judged by the numbers, not by the preset's name.
    [{ policy: ['emailcore'], weight: ['helo-mismatch=0', 'helo-literal-mismatch=0'] }, null],
    [{ policy: ['strict'], tempfailAt: ['20'], rejectAt: ['20'] }, null],
    [{ weight: ['helo-mismatch=5'] }, /^weight: crosses .* helo-mismatch 5 alone reaches tempfail-at 5/],
    [{ weight: ['helo-mismatch=1'] }, null],
    [{ tempfailAt: ['2'] }, /^tempfailAt: crosses .* helo-literal-mismatch 2 alone reaches tempfail-at 2/],
    [{ tempfailAt: ['2.1'] }, null],
    [
      { weight: ['helo-mismatch=3', 'iprev-other-name=2'] },
      /^weight: crosses .* helo-mismatch 3 \+ iprev-other-name 2 alone reach tempfail-at 5/,
    ],
    // §4.1.4 is about the name; what is told of the address alone it leaves to us.
    [{ weight: ['iprev-none=10', 'iprev-fail=10', 'iprev-generic=10'] }, null],
    [{ ramp: ['iprev-generic=3/1h', 'iprev-none=3/1h'] }, /^ramp: .* weighs 0, as iprev-generic does/],
    [{ ramp: ['iprev-generic=3/1h'], weight: ['iprev-generic=10'] }, null],
    [{ recipientPolicy: ['DIR/recipients'] }, /^recipientPolicy: crosses RFC 5321/],
    [
      { deadline: ['10s'] },
      /^deadline: 10s is as long as Sendmail waits .* Postfix waits 30s unless told, and 15s with/,
    ],
    [{ deadline: ['9s'] }, null],
    [{ dnsTimeout: ['6s'] }, /^dnsTimeout: one silent name server uses up the deadline of 6s/],
    [{ listen: ['inet:0.0.0.0:1'] }, /^listen: it can be reached from outside/],
    [{ listen: ['inet:[::1]:1', 'unix:/s', 'inet:localhost:1'] }, null],
    [{ socketMode: ['0666'], listen: ['unix:/s'] }, /^socketMode: any user of this host/],
    [{ socketMode: ['0666'] }, null],
    [{ socketGroup: ['root'] }, /^socketGroup: no unix socket is opened/],
    [{ socketGroup: ['root'], listen: ['unix:/s'] }, null],
    [{ httpPublic: [''] }, /^httpPublic: nothing is served without http/],
    [{ httpPublic: [''], http: ['127.0.0.1:1'] }, null],
    [{ history: ['1M'] }, /^history: only the page shows recent decisions/],
    [{ history: ['1M'], httpPage: [''], http: ['127.0.0.1:1'] }, null],
    [{ logTime: [''], logFormat: ['json'] }, /^logTime: JSON lines have the time/],
    [{ logTime: [''] }, null],
    [{ grace: ['2m'] }, /^grace: systemd kills/],
    [{ dnsZone: ['DIR/zone'] }, /^dnsZone: no name server is asked/],
    [{ cacheSize: ['0'] }, /^cacheSize: DNS is asked again/],
    [{ cacheMemory: ['512K'] }, /^cacheMemory: a network may have 8K of it at a time/],
    [{ cacheMemory: ['16G'] }, /^cacheMemory: more than half of the \d+[MG] that Node gives/],
    [{ observe: [''], enforcePercent: ['10'] }, /^enforcePercent: observe refuses nothing/],
    [{ selfTestRecipient: ['t@x.org'], applyAt: ['mail'] }, /^selfTestRecipient: who is refused at MAIL/],
    [{ noAuthResults: [''], authservId: ['mx'] }, /^authservId: no-auth-results adds no field/],
  ])('on %j: %s', async (given, wanted) => {
    const [first, ...more] = await advised(given);
    expect(more).toEqual([]);
    if (wanted === null) expect(first).toBeUndefined();
    else expect(first).toMatch(wanted);
  });
});
