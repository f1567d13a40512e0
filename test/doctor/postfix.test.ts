import { describe, expect, it } from 'vitest';
import { postfix } from '../support/doctor-facts.ts';

describe('services', () => {
  it.each<[string, object]>([
    [
      'smtp inet n - y - - smtpd',
      { title: 'smtp inet', role: 'inbound', chrooted: true, macros: ['mx.dest.test', '25'] },
    ],
    ['smtpd pass - - n - - smtpd', { role: 'inbound', chrooted: false, macros: ['mx.dest.test', '25'] }],
    [
      'submission inet n - n - - smtpd -o milter_macro_daemon_name=ORIGINATING',
      { role: 'submission', macros: ['originating', '587'] },
    ],
    ['192.0.2.1:465 inet n - - - - smtpd', { role: 'submission', chrooted: false }],
    ['127.0.0.1:10025 inet n - n - - smtpd', { role: 'local', macros: ['mx.dest.test', '10025'] }],
    ['[::1]:10025 inet n - n - - smtpd', { role: 'local' }],
    ['whatever inet n - n - - smtpd', { role: 'inbound', macros: ['mx.dest.test'] }],
    ['smtp inet n - n - - smtpd -o smtpd_milters=', { filters: [], ownList: true }],
    [
      'smtp inet n - n - - smtpd -o receive_override_options=no_milters',
      { switchedOff: 'receive_override_options=no_milters' },
    ],
    ['smtp inet n - n - - smtpd -o smtpd_helo_required=no', { heloRequired: false }],
  ])('%s', (line, wanted) => {
    expect(postfix('', line).services).toMatchObject([wanted]);
  });

  it('takes the chroot of old for granted at compatibility level 0', () => {
    expect(postfix('compatibility_level = 0', 'smtp inet n - - - - smtpd').services[0]?.chrooted).toBe(true);
  });

  it('leaves out what is no SMTP server', () => {
    expect(postfix('', 'smtp inet n - n - 1 postscreen\nsmtp unix - - n - - smtp').services).toEqual([]);
  });

  it('lets one service stand for all where master.cf is not known', () => {
    expect(postfix('', '').services).toMatchObject([{ title: 'smtpd', role: 'inbound', chrooted: null }]);
  });
});

describe('milters', () => {
  it.each<[string, object]>([
    [
      'smtpd_milters = inet:localhost:8892',
      {
        socket: 'inet:localhost:8892',
        connectMs: 30_000,
        commandMs: 30_000,
        contentMs: 300_000,
        protocol: 6,
        onFailure: 'tempfail',
      },
    ],
    [
      'smtpd_milters = { unix:x/socket, connect_timeout=1s command_timeout=2s, content_timeout=3s, protocol=4, default_action=accept }',
      {
        socket: 'unix:x/socket',
        connectMs: 1000,
        commandMs: 2000,
        contentMs: 3000,
        protocol: 4,
        onFailure: 'accept',
      },
    ],
    [
      'smtpd_milters = inet:[::1]:8892\nmilter_command_timeout = 5s\nmilter_default_action = reject',
      { dialled: { kind: 'inet', host: '::1', port: 8892 }, commandMs: 5000, onFailure: 'reject' },
    ],
    ['smtpd_milters = inet:a:1\nmilter_default_action = shutdown', { onFailure: { unknown: 'shutdown' } }],
    [
      'smtpd_milters = inet:a:1\nmilter_default_action = shutdown\nmail_version = 3.11.0',
      { onFailure: 'shutdown' },
    ],
    ['smtpd_milters = inet:a:1\nmail_version = 3.11.0', { onFailure: 'shutdown' }],
    ['smtpd_milters = nonsense', { dialled: { kind: 'unknown' } }],
  ])('%s', (main, wanted) => {
    expect(postfix(main).services[0]?.filters).toMatchObject([wanted]);
  });

  it('keeps their order', () => {
    const [service] = postfix('first = inet:a:1\nsmtpd_milters = $first, { unix:/b }').services;
    expect(service?.filters.map(({ socket }) => socket)).toEqual(['inet:a:1', 'unix:/b']);
  });
});

describe('names', () => {
  const mta = postfix(
    [
      'mydestination = $myhostname, localhost.$mydomain localhost, Other.Test, hash:/etc/x, /etc/y, single, [192.0.2.25]',
      'virtual_mailbox_domains = a.test, mysql:/etc/z',
      'relay_domains = .b.test',
      'inet_interfaces = 192.0.2.25, 198.51.100.7, 10.0.0.1',
      'proxy_interfaces = 203.0.113.1',
      'mynetworks = 127.0.0.0/8 [::1]/128 10.0.0.0/8 hash:/etc/x !10.1.0.0/16',
    ].join('\n'),
  );

  it('takes what stands there and opens no table', () => {
    expect(mta.ownName).toBe('mx.dest.test');
    expect(mta.localNames.map(({ name }) => name)).toEqual(['mx.dest.test', 'other.test']);
    expect(mta.hostedNames).toEqual([
      { name: 'dest.test', from: 'mydomain' },
      { name: 'a.test', from: 'virtual_mailbox_domains' },
      { name: 'b.test', from: 'relay_domains' },
    ]);
  });

  it('takes public addresses', () => {
    expect(mta.addresses.map(({ name, from }) => `${name} ${from}`)).toEqual([
      '192.0.2.25 inet_interfaces',
      '198.51.100.7 inet_interfaces',
      '203.0.113.1 proxy_interfaces',
      '192.0.2.25 mydestination',
    ]);
  });

  it('takes networks other than loopback', () => {
    expect(mta.networks.map(({ address, length }) => `${address.text}/${length}`)).toEqual(['10.0.0.0/8']);
  });
});
