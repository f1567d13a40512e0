/** One set-up a line, and what is said about it. What is in order is left out here. */
import { afterAll, describe, expect, it } from 'vitest';
import { diagnoses, doctorChecks, diagnose } from '../../src/doctor/checks/index.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import type { ServerFacts } from '../../src/doctor/resolver.ts';
import type { SocketFile } from '../../src/doctor/socket-file.ts';
import type { StateFile } from '../../src/doctor/state-file.ts';
import { complaints, facts, GOOD_CF, postfix, sendmail } from '../support/doctor-facts.ts';

const produced = new Set<string>();

function said(given: Facts): string[] {
  for (const { id } of diagnose(given)) produced.add(id);
  return complaints(given);
}

function changes(given: Facts, id: string): string[] {
  return diagnose(given)
    .filter((each) => each.id === id)
    .flatMap((each) => each.changes.map(({ file, line }) => `${file}: ${line}`));
}

const UNIX = { listen: ['unix:/run/helo-milter/socket'] };
const ITEM = 'connect_timeout=5s, command_timeout=15s, content_timeout=30s, default_action=tempfail }';

describe('Postfix', () => {
  it.each<[main: string, master: string | undefined, options: Record<string, string[]>, wanted: string[]]>([
    ['', undefined, {}, []],
    // Attached or not.
    ['smtpd_milters =', undefined, {}, ['postfix-not-attached']],
    ['smtpd_milters = inet:localhost:11332', undefined, {}, ['postfix-not-attached']],
    ['smtpd_milters = inet:192.0.2.1:8892', undefined, {}, ['postfix-socket-mismatch']],
    ['smtpd_milters = unix:helo-milter/socket', undefined, {}, ['postfix-socket-mismatch']],
    ['smtpd_milters = unix:/run/helo-milter/socket', undefined, UNIX, []],
    [
      'smtpd_milters = unix:/run/helo-milter/socket',
      'smtp inet n - y - - smtpd',
      UNIX,
      ['postfix-socket-outside-chroot'],
    ],
    [
      'smtpd_milters = unix:helo-milter/socket',
      'smtp inet n - y - - smtpd',
      { listen: ['unix:/var/spool/postfix/helo-milter/socket'] },
      [],
    ],
    ['', 'smtp inet n - n - - smtpd -o smtpd_milters=', {}, ['postfix-not-attached']],
    [
      '',
      'smtp inet n - n - - smtpd\n2525 inet n - n - - smtpd -o smtpd_milters=inet:a:1',
      {},
      ['postfix-service-not-attached'],
    ],
    ['', 'smtp inet n - n - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd -o smtpd_milters=', {}, []],
    [
      '',
      'smtp inet n - n - - smtpd -o smtpd_milters=\nsubmission inet n - n - - smtpd',
      { exemptDaemon: ['587'] },
      ['postfix-not-attached'],
    ],
    ['', 'smtp inet n - n - 1 postscreen', {}, ['postfix-not-attached', 'postfix-postscreen']],
    ['', 'smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd', {}, ['postfix-postscreen']],
    ['receive_override_options = no_milters', undefined, {}, ['postfix-no-milters']],
    [
      '',
      'smtp inet n - n - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd -o receive_override_options=no_milters',
      {},
      [],
    ],
    ['smtpd_milter_maps = static:DISABLE', undefined, {}, ['postfix-milters-disabled']],
    ['smtpd_milter_maps = static:{ DISABLE }', undefined, {}, ['postfix-milters-disabled']],
    ['', 'smtp inet n - n - - smtpd -o smtpd_milter_maps=static:DISABLE', {}, ['postfix-milters-disabled']],
    ['smtpd_milter_maps = cidr:/etc/postfix/maps', undefined, {}, ['postfix-milter-maps']],
    // While the milter only watches, mail need not wait for it.
    ['', undefined, { observe: ['true'] }, ['failure-tempfail-observed']],
    [
      'smtpd_milters = { inet:127.0.0.1:8892, command_timeout=15s, default_action=accept }',
      undefined,
      { observe: ['true'] },
      [],
    ],
    // A static map attaches us, and replaces smtpd_milters.
    ['smtpd_milters =\nsmtpd_milter_maps = static:inet:127.0.0.1:8892', undefined, {}, []],
    [
      'smtpd_milters =\nsmtpd_milter_maps = static:{ { inet:127.0.0.1:8892, default_action=accept } }',
      undefined,
      {},
      ['failure-accept'],
    ],
    [
      'smtpd_milters =\nsmtpd_milter_maps = cidr:/maps, static:{ { inet:127.0.0.1:8892, protocol=6 }, inet:a:1 }',
      undefined,
      {},
      ['postfix-milter-maps'],
    ],
    ['smtpd_milter_maps = static:inet:a:1', undefined, {}, ['postfix-not-attached']],
    [
      'smtpd_milters = inet:localhost:8892, inet:a:1, inet:127.0.0.1:8892',
      undefined,
      {},
      ['postfix-attached-twice'],
    ],
    ['smtpd_milters =', 'smtp inet n - n - - smtpd -o smtpd_milter_maps=static:inet:127.0.0.1:8892', {}, []],
    ['non_smtpd_milters = inet:a:1', undefined, {}, []],
    ['non_smtpd_milters = $smtpd_milters', undefined, {}, ['postfix-non-smtpd']],
    // Together with other milters.
    [
      'smtpd_milters = inet:localhost:11332, inet:localhost:8892',
      undefined,
      {},
      ['postfix-order', 'rspamd-removes-results'],
    ],
    ['smtpd_milters = unix:spamass/spamass.sock, inet:localhost:8892', undefined, {}, ['postfix-order']],
    ['smtpd_milters = inet:localhost:8892, unix:spamass/spamass.sock', undefined, {}, []],
    ['smtpd_milters = inet:localhost:8892, inet:localhost:11332', undefined, {}, ['rspamd-removes-results']],
    ['smtpd_milters = unix:opendmarc/sock, inet:localhost:8892', undefined, {}, []],
    ['smtpd_milters = inet:localhost:8891, inet:localhost:8892', undefined, {}, []],
    ['smtpd_milters = inet:localhost:8892, inet:localhost:8891, inet:localhost:8893', undefined, {}, []],
    ['smtpd_milters = inet:localhost:8891, inet:localhost:8892, inet:localhost:8893', undefined, {}, []],
    [
      'smtpd_milters = inet:localhost:8892, unix:opendmarc/sock, { unix:opendkim/sock, protocol=6 }',
      undefined,
      {},
      ['dmarc-before-dkim'],
    ],
    [
      'smtpd_milters = inet:localhost:8892, inet:localhost:11332, inet:localhost:8891',
      undefined,
      {},
      ['rspamd-before-dkim', 'rspamd-removes-results'],
    ],
    [
      'smtpd_milters = inet:localhost:8892, inet:localhost:8891, inet:localhost:11332',
      undefined,
      {},
      ['rspamd-removes-results'],
    ],
    [
      'smtpd_milters =\nsmtpd_milter_maps = static:{ inet:localhost:11332, inet:localhost:8892 }',
      undefined,
      {},
      ['postfix-order', 'rspamd-removes-results'],
    ],
    ['smtpd_milters = inet:localhost:11332, inet:localhost:8892', undefined, { noAuthResults: [''] }, []],
    [
      'smtpd_milters = inet:whatever:1 inet:other:1',
      undefined,
      { listen: ['fd:3'] },
      ['postfix-not-attached', 'socket-handed-over'],
    ],
    ['smtpd_milters = unix:/whatever', undefined, { listen: ['fd:3'] }, ['socket-handed-over']],
    // Down.
    [
      'milter_default_action = accept\nsmtpd_milters = inet:localhost:8892',
      undefined,
      {},
      ['failure-accept'],
    ],
    ['milter_default_action = reject', undefined, {}, []],
    [
      'milter_default_action = reject\nsmtpd_milters = inet:localhost:8892',
      undefined,
      {},
      ['failure-reject'],
    ],
    [
      'milter_default_action = quarantine\nsmtpd_milters = inet:localhost:8892',
      undefined,
      {},
      ['failure-quarantine'],
    ],
    ['smtpd_milters = { inet:localhost:8892, default_action=shutdown }', undefined, {}, ['failure-unknown']],
    ...['3.10.7', '3.9.8', '3.8.14', '3.7.19', '3.6.15', '2.11.0'].map(
      (version): [string, undefined, Record<string, string[]>, string[]] => [
        `smtpd_milters = { inet:localhost:8892, default_action=shutdown }\nmail_version = ${version}`,
        undefined,
        {},
        ['failure-unknown'],
      ],
    ),
    ...['3.10.8', '3.10.13', '3.9.9', '3.8.15', '3.7.20', '3.11-20251001', '4.0.0'].map(
      (version): [string, undefined, Record<string, string[]>, string[]] => [
        `smtpd_milters = { inet:localhost:8892, default_action=shutdown }\nmail_version = ${version}`,
        undefined,
        {},
        [],
      ],
    ),
    [
      'smtpd_milters = { inet:localhost:8892, default_action=shutdown }\nmail_version = 3.11.1',
      undefined,
      {},
      [],
    ],
    // Time.
    ['smtpd_milters = { inet:localhost:8892, command_timeout=6s }', undefined, {}, ['timeout-short']],
    ['smtpd_milters = { inet:localhost:8892, command_timeout=7s }', undefined, {}, []],
    [
      'smtpd_milters = { inet:localhost:8892, command_timeout=7s }',
      undefined,
      { deadline: ['6500ms'] },
      ['timeout-short'],
    ],
    ['smtpd_milters = inet:localhost:8892\nmilter_command_timeout = 5m', undefined, {}, ['timeout-long']],
    ['smtpd_milters = { inet:localhost:8892, content_timeout=9s }', undefined, {}, ['content-timeout-short']],
    ['', undefined, { dnsTimeout: ['6s'] }, ['dns-timeout-above-deadline']],
    // Protocol.
    ['milter_connect_macros = j\nmilter_mail_macros = i', undefined, {}, []],
    ['milter_protocol = 4', undefined, {}, ['postfix-protocol-old']],
    [
      'milter_protocol = 2\nmilter_mail_macros = i',
      undefined,
      {},
      ['postfix-protocol-old', 'postfix-macros-missing'],
    ],
    // HELO in Postfix.
    ['smtpd_helo_required = no', undefined, {}, ['helo-not-required']],
    ['', 'smtp inet n - n - - smtpd -o smtpd_helo_required=no', {}, ['helo-not-required']],
    ['smtpd_delay_reject = no', undefined, {}, []],
    [
      'smtpd_delay_reject = no\nsmtpd_client_restrictions = reject_rbl_client zen.example',
      undefined,
      {},
      ['postfix-delay-reject-off'],
    ],
    [
      'smtpd_helo_restrictions = permit_mynetworks reject_unknown_helo_hostname',
      undefined,
      {},
      ['postfix-duplicate-helo-check'],
    ],
    [
      'smtpd_recipient_restrictions = reject_invalid_hostname, reject',
      undefined,
      {},
      ['postfix-duplicate-helo-check'],
    ],
    [
      'smtpd_restriction_classes = greedy\ngreedy = reject_non_fqdn_helo_hostname',
      undefined,
      {},
      ['postfix-duplicate-helo-check'],
    ],
    [
      '',
      'smtp inet n - n - - smtpd -o smtpd_helo_restrictions=reject_invalid_helo_hostname',
      {},
      ['postfix-duplicate-helo-check'],
    ],
    ['smtpd_helo_restrictions = reject_unknown_client_hostname', undefined, {}, []],
    ['soft_bounce = yes', undefined, {}, ['postfix-soft-bounce']],
    ['smtpd_upstream_proxy_protocol = haproxy', undefined, {}, ['postfix-proxy-protocol']],
    ['postscreen_upstream_proxy_protocol = haproxy', undefined, {}, ['postfix-proxy-protocol']],
    ['smtpd_authorized_xclient_hosts = 10.0.0.1', undefined, {}, ['postfix-xclient']],
    ['', 'smtp inet n - n - - smtpd -o smtpd_authorized_xclient_hosts=10.0.0.1', {}, ['postfix-xclient']],
    // Users and networks.
    ['', 'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd', {}, ['submission-judged']],
    [
      '',
      'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd',
      { applyAt: ['helo'] },
      ['submission-judged-at-helo'],
    ],
    ['', 'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd', { exemptDaemon: ['587'] }, []],
    ['', 'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd -o smtpd_milters=', {}, []],
    [
      '',
      'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd',
      { exemptDaemon: ['submission'] },
      ['submission-judged', 'exempt-daemon-unknown'],
    ],
    [
      'milter_macro_daemon_name = ORIGINATING',
      undefined,
      { exemptDaemon: ['originating'] },
      ['inbound-exempt'],
    ],
    ['mynetworks = 127.0.0.0/8, 10.0.0.0/8', undefined, {}, ['mynetworks-not-trusted']],
    ['mynetworks = 127.0.0.0/8, 10.1.0.0/16', undefined, { trust: ['10.0.0.0/8'] }, []],
    ['mynetworks = 10.0.0.0/8', undefined, { trust: ['10.1.0.0/16'] }, ['mynetworks-not-trusted']],
    // Names.
    ['mydestination = other.test', undefined, {}, ['our-name-missing']],
    ['mydestination = a.other.test', undefined, { ourName: ['other.test', 'dest.test'] }, []],
    [
      'virtual_alias_domains = hosted.test',
      undefined,
      { ourName: ['dest.test'] },
      ['hosted-domain-unclaimed'],
    ],
    ['proxy_interfaces = 192.0.2.1', undefined, {}, ['our-address-missing']],
    ['proxy_interfaces = 192.0.2.1', undefined, { ourAddress: ['192.0.2.1'] }, []],
    ['inet_interfaces = 192.0.2.1, 127.0.0.1', undefined, {}, []],
  ])('%j %j %j: %j', (main, master, options, wanted) => {
    // The default set-up claims its own domain.
    const given = facts(postfix(main, master), { ourName: ['dest.test'], ...options });
    expect(said(given).sort()).toEqual([...wanted].sort());
  });

  it.each<
    [
      main: string,
      master: string | undefined,
      options: Record<string, string[]>,
      id: string,
      wanted: string[],
    ]
  >([
    [
      'smtpd_milters = inet:a:1',
      undefined,
      {},
      'postfix-not-attached',
      [
        `main.cf: helo_milter = { inet:127.0.0.1:8892, ${ITEM}`,
        'main.cf: smtpd_milters = $helo_milter, inet:a:1',
      ],
    ],
    [
      '',
      'smtp inet n - n - - smtpd -o smtpd_milters=',
      {},
      'postfix-not-attached',
      [
        `main.cf: helo_milter = { inet:127.0.0.1:8892, ${ITEM}`,
        'master.cf: smtp inet: -o { smtpd_milters = $helo_milter }',
      ],
    ],
    [
      'smtpd_milters = { inet:192.0.2.1:8892, protocol=6 }, inet:a:1',
      undefined,
      {},
      'postfix-socket-mismatch',
      ['main.cf: smtpd_milters = { inet:127.0.0.1:8892, protocol=6 }, inet:a:1'],
    ],
    [
      'smtpd_milters = unix:/run/helo-milter/socket',
      'smtp inet n - y - - smtpd',
      UNIX,
      'postfix-socket-outside-chroot',
      [
        'helo-milter: --listen unix:/var/spool/postfix/helo-milter/socket',
        'main.cf: smtpd_milters = unix:helo-milter/socket',
      ],
    ],
    [
      'smtpd_milters = inet:localhost:8892, inet:localhost:11332',
      undefined,
      { deadline: ['20s'] },
      'timeout-short',
      [],
    ],
    [
      'smtpd_milters = { inet:localhost:8892, command_timeout=8s }',
      undefined,
      { deadline: ['20s'] },
      'timeout-short',
      [
        `main.cf: smtpd_milters = { inet:localhost:8892, ${ITEM.replace('15s', '25s')}`,
        'helo-milter: --deadline 6s',
      ],
    ],
    [
      'smtpd_milters = inet:localhost:11332, inet:localhost:8892',
      undefined,
      {},
      'postfix-order',
      ['main.cf: smtpd_milters = inet:localhost:8892, inet:localhost:11332'],
    ],
    [
      'smtpd_milters = inet:localhost:8892\nmilter_default_action = accept\nmail_version = 3.11.0',
      undefined,
      {},
      'failure-accept',
      [`main.cf: smtpd_milters = { inet:localhost:8892, ${ITEM.replace('tempfail', 'shutdown')}`],
    ],
    [
      'smtpd_milters =\nsmtpd_milter_maps = cidr:/maps static:inet:localhost:8892\nmilter_default_action = reject',
      undefined,
      {},
      'failure-reject',
      [`main.cf: smtpd_milter_maps = cidr:/maps, static:{ { inet:localhost:8892, ${ITEM} }`],
    ],
    [
      'smtpd_milters = unix:dmarc/s, inet:localhost:8892, unix:dkim/s, inet:a:1',
      undefined,
      {},
      'dmarc-before-dkim',
      ['main.cf: smtpd_milters = unix:dkim/s, unix:dmarc/s, inet:localhost:8892, inet:a:1'],
    ],
    [
      'smtpd_milters = inet:localhost:8892, unix:rspamd/s, unix:dkim/s',
      undefined,
      {},
      'rspamd-before-dkim',
      ['main.cf: smtpd_milters = inet:localhost:8892, unix:dkim/s, unix:rspamd/s'],
    ],
    [
      'smtpd_helo_restrictions = permit, reject_invalid_helo_hostname, reject',
      undefined,
      {},
      'postfix-duplicate-helo-check',
      ['main.cf: smtpd_helo_restrictions = permit, reject'],
    ],
    [
      'mynetworks = 10.1.2.3/8 2001:db8::/32',
      undefined,
      {},
      'mynetworks-not-trusted',
      ['helo-milter: --trust 10.0.0.0/8 --trust 2001:db8::/32'],
    ],
    [
      'mydestination = a.test b.test',
      undefined,
      {},
      'our-name-missing',
      ['helo-milter: --our-name a.test --our-name b.test'],
    ],
    [
      'non_smtpd_milters = inet:a:1, inet:localhost:8892',
      undefined,
      {},
      'postfix-non-smtpd',
      ['main.cf: non_smtpd_milters = inet:a:1'],
    ],
    [
      'milter_protocol = 4\nmilter_mail_macros = i',
      undefined,
      {},
      'postfix-macros-missing',
      ['main.cf: milter_mail_macros = i {auth_authen}'],
    ],
  ])('%j %j %j: %s is fixed by %j', (main, master, options, id, wanted) => {
    expect(changes(facts(postfix(main, master), options), id)).toEqual(wanted);
  });

  it('says once what services have in common', () => {
    const both = '127.0.0.1:25 inet n - n - - smtpd\n[::1]:25 inet n - n - - smtpd';
    const given = facts(postfix('receive_override_options = no_milters', both));
    expect(diagnose(given).filter(({ id }) => id === 'postfix-no-milters')).toMatchObject([
      {
        text: expect.stringMatching(/^127\.0\.0\.1:25 inet has .*; \[::1\]:25 inet has /) as string,
        changes: [{ file: 'main.cf' }],
      },
    ]);
  });

  it('names a few of many names and has all in the line', () => {
    const domains = Array.from({ length: 9 }, (_, i) => `d${i}.test`);
    const given = facts(postfix(`mydestination = ${domains.join(' ')}`));
    const [found] = diagnose(given).filter(({ id }) => id === 'our-name-missing');
    expect(found?.text).toMatch(/d4\.test \(mydestination\), and 4 more$/);
    expect(found?.changes[0]?.line).toContain('d8.test');
  });
});

describe('Sendmail', () => {
  it.each<[from: string | RegExp, to: string, options: Record<string, string[]>, wanted: string[]]>([
    ['', '', {}, []],
    [/^Xhelo.*$/m, '', {}, ['sendmail-not-attached']],
    [
      /helo-milter$/m,
      'helo-milter, again\nXagain, S=local:/run/helo-milter/socket, F=T, T=C:5s;S:15s;R:15s;E:30s',
      {},
      ['sendmail-attached-twice'],
    ],
    [/^O InputMail.*$/m, '', {}, ['sendmail-filter-unused']],
    ['run/helo-milter/socket', 'var/run/helo.sock', {}, ['sendmail-socket-mismatch']],
    [
      'Port=25',
      'Port=25\nO DaemonPortOptions=Name=MX2, Port=2525, InputMailFilters=',
      {},
      ['sendmail-service-not-attached'],
    ],
    ['Port=25', 'Port=25\nO DaemonPortOptions=Name=MSA, Port=587', {}, ['submission-judged']],
    ['Port=25', 'Port=25\nO DaemonPortOptions=Name=MSA, Port=587', { exemptDaemon: ['msa'] }, []],
    [
      /helo-milter$/m,
      'rspamd, helo-milter\nXrspamd, S=inet:11332@localhost, F=T',
      {},
      ['sendmail-order', 'rspamd-removes-results'],
    ],
    [
      /helo-milter$/m,
      'helo-milter, opendmarc, opendkim\nXopendmarc, S=local:/m, F=T\nXopendkim, S=local:/k, F=T',
      {},
      ['dmarc-before-dkim'],
    ],
    [' F=T,', '', {}, ['failure-accept']],
    ['F=T', 'F=R', {}, ['failure-reject']],
    ['F=T', 'F=4', {}, []],
    [/, T=.*$/m, '', {}, []],
    [/, T=.*$/m, '', { deadline: ['9500ms'] }, ['timeout-short']],
    ['R:15s', 'R:5m', {}, ['timeout-long']],
    ['E:30s', 'E:5s', {}, ['content-timeout-short']],
    ['needmailhelo', 'goaway', {}, []],
    ['needmailhelo', 'authwarnings', {}, ['helo-not-required']],
    ['Cwlocalhost', 'Cwlocalhost other.test', {}, ['our-name-missing']],
    ['Cwlocalhost', 'DMmasq.test', {}, ['hosted-domain-unclaimed']],
    [
      'local:/run/helo-milter/socket',
      'inet:8892@127.0.0.1',
      { listen: ['inet:127.0.0.1:8892'] },
      ['sendmail-over-tcp'],
    ],
  ])('%s %j %j: %j', (from, to, options, wanted) => {
    expect(said(facts(sendmail(GOOD_CF.replace(from, to)), { ...UNIX, ...options }))).toEqual(wanted);
  });

  it.each<[from: string | RegExp, to: string, id: string, wanted: string]>([
    [
      /^Xhelo.*$/m,
      '',
      'sendmail-not-attached',
      "INPUT_MAIL_FILTER(`helo-milter', `S=local:/run/helo-milter/socket, F=T, T=C:5s;S:15s;R:15s;E:30s')dnl",
    ],
    [
      /helo-milter$/m,
      'rspamd, helo-milter\nXrspamd, S=inet:11332@localhost, F=T',
      'sendmail-order',
      "define(`confINPUT_MAIL_FILTERS', `helo-milter, rspamd')dnl",
    ],
    [
      /helo-milter$/m,
      'helo-milter, again\nXagain, S=local:/run/helo-milter/socket, F=T, T=C:5s;S:15s;R:15s;E:30s',
      'sendmail-attached-twice',
      "define(`confINPUT_MAIL_FILTERS', `helo-milter')dnl",
    ],
    [
      'needmailhelo',
      'authwarnings,novrfy',
      'helo-not-required',
      "define(`confPRIVACY_FLAGS', `authwarnings,novrfy,needmailhelo')dnl",
    ],
    [
      /helo-milter$/m,
      'opendmarc, helo-milter, opendkim\nXopendmarc, S=local:/m, F=T\nXopendkim, S=local:/k, F=T',
      'dmarc-before-dkim',
      "define(`confINPUT_MAIL_FILTERS', `opendkim, opendmarc, helo-milter')dnl",
    ],
  ])('%s %j: %s is fixed by a line of sendmail.mc', (from, to, id, wanted) => {
    expect(changes(facts(sendmail(GOOD_CF.replace(from, to)), UNIX), id)).toEqual([`sendmail.mc: ${wanted}`]);
  });
});

it('says which file the options come from', () => {
  const given = { ...facts(postfix('')), optionsFile: '/etc/helo-milter.toml' };
  said(given);
  expect(diagnose(given)[0]).toMatchObject({
    id: 'options-read',
    severity: 'ok',
    text: 'read from /etc/helo-milter.toml',
  });
});

it.each<[StateFile['state'], string | null, string, readonly string[]]>([
  ['writable', 'filter', 'regulars-kept', []],
  ['unseen', null, 'regulars-unseen', []],
  ['absent', 'filter', 'regulars-directory-missing', ['install -d -m 700 -o filter /var/lib/x']],
  ['absent', null, 'regulars-directory-missing', ['install -d -m 700 /var/lib/x']],
  ['unwritable', 'filter', 'regulars-unwritable', ['chown filter /var/lib/x']],
])('the file of the regulars, %s for %s', (state, user, id, lines) => {
  const regularsFile = { path: '/var/lib/x/regulars', directory: '/var/lib/x', state };
  const given = { ...facts(postfix(''), user === null ? {} : { user: [user] }), regularsFile };
  said(given);
  const found = diagnose(given).filter((each) => each.topic === 'Regulars');
  expect(found.map((each) => [each.id, each.changes.map(({ line }) => line)])).toEqual([[id, lines]]);
});

it.each([
  [null, 'store-works'],
  ['NOPERM', 'store-unusable'],
])('the store of the farm, %j', (storeAilment, id) => {
  const given = { ...facts(postfix(''), { store: ['redis://store'] }), storeAilment };
  said(given);
  const found = diagnose(given).filter((each) => each.topic === 'Farm');
  expect(found.map((each) => each.id)).toEqual([id]);
});

it('says that no MTA was found', () => {
  expect(said(facts(null))).toEqual(['mta-unknown']);
});

describe('the socket', () => {
  const file = (state: SocketFile['state'], writableDirectory: string | null = null): SocketFile => ({
    path: '/run/helo-milter/socket',
    state,
    at: '/run/helo-milter',
    mode: 0o750,
    writableDirectory,
  });

  it.each<[SocketFile, postfix: string[], sendmail: string[]]>([
    [file('ready'), [], []],
    [file('absent'), [], []],
    [file('unseen'), [], []],
    [file('not-a-socket'), ['socket-not-a-socket'], ['socket-not-a-socket']],
    [file('closed'), ['socket-directory-closed'], ['socket-directory-closed']],
    [file('unwritable'), ['socket-not-writable'], ['socket-not-writable']],
    [file('ready', '/run'), [], ['sendmail-socket-directory-writable']],
  ])('%j', (socketFile, forPostfix, forSendmail) => {
    const seen = { socketFiles: [socketFile] };
    const main = 'smtpd_milters = unix:/run/helo-milter/socket';
    expect(said(facts(postfix(main), { ...UNIX, ourName: ['dest.test'] }, seen))).toEqual(forPostfix);
    expect(said(facts(sendmail(GOOD_CF), UNIX, seen))).toEqual(forSendmail);
  });

  it('lets Sendmail be content where it was told not to blame the directory', () => {
    const cf = `${GOOD_CF}O DontBlameSendmail=TrustStickyBit,GroupWritableDirPathSafe\n`;
    expect(said(facts(sendmail(cf), UNIX, { socketFiles: [file('ready', '/run')] }))).toEqual([]);
  });

  it.each<[Facts['probes'][number]['outcome'], string[]]>([
    [{ kind: 'answers', version: 6, ms: 1.2 }, []],
    [{ kind: 'unreachable', detail: 'ECONNREFUSED' }, ['milter-unreachable']],
    [{ kind: 'stranger' }, ['milter-stranger']],
  ])('%j', (outcome, wanted) => {
    const probes = [{ socket: 'inet:127.0.0.1:8892', outcome }];
    expect(said(facts(postfix(''), { ourName: ['dest.test'] }, { probes }))).toEqual(wanted);
  });
});

describe('the resolver', () => {
  const sound: ServerFacts = {
    server: '10.0.0.53',
    fault: null,
    medianMs: 0.4,
    invented: [],
    validates: true,
    reverse: 'found',
  };
  const dead: ServerFacts = { ...sound, server: '10.0.0.54', fault: 'timeout', medianMs: null };

  it.each<[title: string, servers: ServerFacts[], wanted: string[]]>([
    ['sound', [sound], []],
    ['no word on DNSSEC', [{ ...sound, validates: null }], []],
    ['not validating', [{ ...sound, validates: false }], ['dns-not-validating']],
    ['dead', [dead], ['dns-silent']],
    ['none', [], ['dns-silent']],
    ['one of two dead', [sound, dead], ['dns-server-silent']],
    ['slow', [{ ...sound, medianMs: 101 }], ['dns-slow']],
    ['public', [{ ...sound, server: '8.8.8.8' }], ['dns-public']],
    ['no reverse names', [{ ...sound, reverse: 'nxdomain' }], ['dns-no-reverse']],
    [
      'wildcards',
      [{ ...sound, invented: [{ name: 'x.com', address: '192.0.2.1' }] }],
      ['dns-invents-answers'],
    ],
  ])('%s', (_, servers, wanted) => {
    expect(said(facts(postfix(''), { ourName: ['dest.test'] }, { servers }))).toEqual(wanted);
  });

  const HERE: ServerFacts = { ...sound, server: '127.0.0.1' };
  const NOBODY: ServerFacts = { ...HERE, fault: 'connrefused', medianMs: null };
  const INSTALL = ['shell: apt install unbound', 'helo-milter: --dns-server 127.0.0.1'];
  it.each<[title: string, servers: ServerFacts[], local: ServerFacts | null, id: string, wanted: string[]]>([
    [
      'one on this host that was asked and is sound',
      [dead],
      HERE,
      'dns-silent',
      ['helo-milter: --dns-server 127.0.0.1'],
    ],
    ['to install one where nobody listens', [dead], NOBODY, 'dns-silent', INSTALL],
    ['to install one where none is set', [], NOBODY, 'dns-silent', INSTALL],
    ['nothing that was not asked', [dead], null, 'dns-silent', []],
    ['to install one in place of the one that is silent', [NOBODY], null, 'dns-silent', INSTALL],
    ['so with its port', [{ ...NOBODY, server: '127.0.0.1:53' }], null, 'dns-silent', INSTALL],
    ['so for one of two', [dead, NOBODY], null, 'dns-silent', INSTALL],
    ['not the slow one', [{ ...HERE, medianMs: 101 }], null, 'dns-slow', []],
    ['nor a slow one beside a silent one', [dead], { ...HERE, medianMs: 101 }, 'dns-silent', []],
    [
      'to install one in place of the public one',
      [{ ...sound, server: '8.8.8.8' }],
      NOBODY,
      'dns-public',
      INSTALL,
    ],
    [
      'one that was found sound',
      [NOBODY, { ...sound, server: '8.8.8.8' }, sound],
      null,
      'dns-public',
      ['helo-milter: --dns-server 10.0.0.53'],
    ],
  ])('recommends %s', (_, servers, local, id, wanted) => {
    expect(changes(facts(postfix(''), {}, { servers, local }), id)).toEqual(wanted);
  });

  it('is not asked where a zone file answers', () => {
    expect(said(facts(postfix(''), { ourName: ['dest.test'], dnsZone: ['zone'] }))).toEqual([
      'dns-zone-in-use',
    ]);
  });
});

describe('the registry', () => {
  it.each([...diagnoses])(
    '%s has an id of lower-case words and sentences',
    (id, { severity, meaning, cure }) => {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)+$/);
      expect(meaning).toMatch(/^\S.*\.$/);
      if (cure !== null) expect(cure).toMatch(/^[A-Z].*\.$/);
      if (severity === 'ok') expect(cure).toBeNull();
      if (severity === 'wrong' || severity === 'warning') expect(cure).not.toBeNull();
    },
  );

  it('has no id twice', () => {
    const ids = doctorChecks.flatMap((check) => Object.keys(check.diagnoses));
    expect(new Set(ids).size).toBe(ids.length);
  });

  // Runs last: the lines above have produced every diagnosis there is.
  afterAll(() => {
    expect([...diagnoses.keys()].filter((id) => !produced.has(id))).toEqual([]);
  });
});
