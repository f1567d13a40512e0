import { describe, expect, it } from 'vitest';
import { parsePostconf } from '../../src/doctor/postconf.ts';
import { PostfixConfig } from '../../src/doctor/postfix-config.ts';
import { UsageError } from '../../src/errors.ts';

const TEXT = `
# main.cf as it is written
myhostname = mx.dest.test
smtpd_milters =
    { inet:127.0.0.1:8892,
# in between
      default_action=tempfail }
empty =
smtp       inet  n       -       y       -       -       smtpd
submission inet n - - - - smtpd -o syslog_name=postfix/submission -o smtpd_milters= -o {mua = permit, reject}
  -osmtpd_helo_required=no -v
cleanup unix n - n - 0 cleanup
smtp/inet/soft_bounce = yes
postconf: warning: /etc/postfix/main.cf: unused parameter: empty=
postconf: warning: /etc/postfix/main.cf: unused parameter: ours={ inet:a:1, default_action=accept }
postconf: warning: /etc/postfix/main.cf: undefined parameter: theirs
`;

describe('parsePostconf', () => {
  const { parameters, services } = parsePostconf(TEXT, 'FILE');

  it('reads settings', () => {
    expect(Object.fromEntries(parameters)).toEqual({
      myhostname: 'mx.dest.test',
      smtpd_milters: '{ inet:127.0.0.1:8892, default_action=tempfail }',
      empty: '',
      ours: '{ inet:a:1, default_action=accept }',
    });
  });

  it('reads services with their overrides', () => {
    expect(services.map(({ name, type, chroot, command }) => [name, type, chroot, command])).toEqual([
      ['smtp', 'inet', 'y', 'smtpd'],
      ['submission', 'inet', '-', 'smtpd'],
      ['cleanup', 'unix', 'n', 'cleanup'],
    ]);
    expect(services.map(({ overrides }) => Object.fromEntries(overrides))).toEqual([
      { soft_bounce: 'yes' },
      {
        syslog_name: 'postfix/submission',
        smtpd_milters: '',
        mua: 'permit, reject',
        smtpd_helo_required: 'no',
      },
      {},
    ]);
  });

  it.each([
    ['nonsense', /^FILE:1: "nonsense" is neither a setting nor a service; /],
    ['\na = b\nsmtp inet n', /^FILE:3: /],
    ['smtp inet n - x - - smtpd', /^FILE:1: /],
    ['smtp tcp n - n - - smtpd', /^FILE:1: /],
  ])('refuses %j', (text, message) => {
    expect(() => parsePostconf(text, 'FILE')).toThrow(UsageError);
    expect(() => parsePostconf(text, 'FILE')).toThrow(message);
  });
});

describe('PostfixConfig', () => {
  const config = new PostfixConfig(
    parsePostconf('a = $b\nb = main\nsmtp inet n - n - - smtpd -o b=own', 'FILE'),
    new Map([
      ['mail_version', '3.11.2'],
      ['myhostname', 'host.of.this'],
    ]),
  );

  it.each([
    ['a', 'main'],
    ['myhostname', 'host.of.this'],
    ['smtpd_delay_reject', 'yes'],
    ['milter_default_action', 'shutdown'],
    ['mydestination', 'host.of.this, localhost., localhost'],
    ['no_such', ''],
  ])('%s is %j', (name, wanted) => {
    expect(config.value(name)).toBe(wanted);
  });

  it('lets a service override, also what a setting refers to', () => {
    expect(config.value('a', config.services[0])).toBe('own');
  });

  it('does not know the version of a file, and takes the domain from the host', () => {
    const file = new PostfixConfig(parsePostconf('myhostname = mx.dest.test', 'FILE'));
    expect(file.knowsShutdown).toBeNull();
    expect(file.value('milter_default_action')).toBe('tempfail');
    expect(file.value('mydomain')).toBe('dest.test');
  });
});
