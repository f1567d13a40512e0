/**
 * The names by which docs/verdicts.md compares Postfix's own three HELO checks with our presets, shown to
 * both: the names are in one zone, which NSD serves to Postfix and `check` reads.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PRESETS } from '../../src/core/check.ts';
import { runCommandLine } from '../../src/commands/command-line.ts';
import { fakeTerminal } from '../support/terminal.ts';
import { withOurDns } from './kit/filters.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

const ZONE = `
$ORIGIN sender.org.
host     A    192.0.2.1
says-no  A    192.0.2.1
says-no  TXT  "v=spf1 -all"
a_b      A    192.0.2.1
mx-only  MX   10 host
away     A    198.51.100.1
permits  TXT  "v=spf1 ip4:192.0.2.1 -all"
pool1    A    192.0.2.201
pool2    A    192.0.2.202
$ORIGIN .
202.2.0.192.in-addr.arpa. PTR pool2.sender.org.
`;

interface Row {
  readonly title: string;
  readonly helo: string;
  /** 192.0.2.1 if absent. */
  readonly ip?: string;
  /** The code for RCPT under the three checks; 250 if they let it pass. */
  readonly postfix: number;
  /** accept, tempfail or reject under rfc5321, emailcore, strict. */
  readonly ours: string;
}

const ROWS: readonly Row[] = [
  { title: 'a host like any other', helo: 'host.sender.org', postfix: 250, ours: 'aaa' },
  { title: "its owner's SPF says no of it", helo: 'says-no.sender.org', postfix: 250, ours: 'rrr' },
  { title: 'an underscore', helo: 'a_b.sender.org', postfix: 250, ours: 'rrr' },
  { title: 'its own address without brackets', helo: '192.0.2.1', postfix: 504, ours: 'rrr' },
  { title: 'an MX and nothing else', helo: 'mx-only.sender.org', postfix: 250, ours: 'trr' },
  { title: 'a name without correspondence', helo: 'away.sender.org', postfix: 250, ours: 'arr' },
  { title: 'a private literal', helo: '[10.0.0.1]', postfix: 250, ours: 'arr' },
  {
    title: 'the name of another host of its pool',
    helo: 'pool1.sender.org',
    ip: '192.0.2.202',
    postfix: 250,
    ours: 'aar',
  },
  { title: 'its own literal', helo: '[192.0.2.1]', postfix: 250, ours: 'aaa' },
  { title: 'a final dot', helo: 'host.sender.org.', postfix: 450, ours: 'aaa' },
  { title: 'no address, and its owner permits it', helo: 'permits.sender.org', postfix: 450, ours: 'aaa' },
  { title: 'a name that does not exist', helo: 'gone.sender.org', postfix: 450, ours: 'trr' },
  { title: 'a single label', helo: 'host', postfix: 504, ours: 'rrr' },
];

describeWith(['postfix', 'nsd', 'unshare', 'own network'], "Postfix's own checks of HELO", () => {
  const workdir = makeWorkdir();
  const zoneFile = join(workdir, 'zone');
  let nsd: Nsd;
  let postfix: Postfix;

  beforeAll(async () => {
    writeFileSync(zoneFile, ZONE);
    nsd = await startNsd(workdir, { '': ZONE }, { port: 53 });
    postfix = await startPostfix(workdir, {
      mainCf: [
        'smtpd_helo_required = yes',
        'smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname, reject_unknown_helo_hostname',
      ].join('\n'),
      wrapper: withOurDns(workdir),
      milters: [null],
    });
  });

  afterAll(async () => {
    await postfix.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  it.each(ROWS)(
    '$title: $helo gets $postfix, and from us $ours',
    async ({ helo, ip = '192.0.2.1', postfix: code, ours }) => {
      const client = await SmtpClient.connect(postfix.ports[0] ?? 0, ip);
      await client.say(`EHLO ${helo}`);
      await client.say('MAIL FROM:<sender@sender.org>');
      const reply = await client.say('RCPT TO:<user@dest.test>');
      client.close();
      let out = '';
      const args = ['check', ip, helo, '--json', '--dns-zone', zoneFile];
      await runCommandLine(args, '1', fakeTerminal({ write: (text) => (out += text) }));
      const { verdicts } = JSON.parse(out) as { verdicts: Record<string, { disposition: string }> };
      expect({
        postfix: reply.code,
        ours: PRESETS.map((preset) => verdicts[preset]?.disposition[0]).join(''),
      }).toEqual({ postfix: code, ours });
    },
  );
});
