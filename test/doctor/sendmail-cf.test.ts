import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { GOOD_CF, sendmail } from '../support/doctor-facts.ts';

describe('sendmailMta', () => {
  it('reads a filter with its time limits', () => {
    const mta = sendmail(GOOD_CF);
    expect(mta.services).toMatchObject([
      {
        title: 'daemon MTA',
        role: 'inbound',
        macros: ['mta', '25'],
        heloRequired: true,
        filters: [
          {
            text: 'helo-milter',
            socket: 'local:/run/helo-milter/socket',
            dialled: { kind: 'unix', path: '/run/helo-milter/socket' },
            onFailure: 'tempfail',
            connectMs: 5000,
            commandMs: 15_000,
            contentMs: 30_000,
          },
        ],
      },
    ]);
    expect(mta.ownName).toBe('mx.dest.test');
    expect(mta.user).toBe('root');
  });

  it.each<[string, object]>([
    [
      'Xa, S=inet:8892@127.0.0.1',
      { onFailure: 'accept', connectMs: 300_000, commandMs: 10_000, contentMs: 300_000 },
    ],
    [
      'Xa, S=inet6:8892@::1, F=R',
      { onFailure: 'reject', dialled: { kind: 'inet', host: '::1', port: 8892 } },
    ],
    [
      'Xa, S=/run/x,\n\tF=4, T=R:1m30s',
      { onFailure: 'shutdown', commandMs: 90_000, dialled: { kind: 'unix' } },
    ],
    ['Xa, S=nonsense', { dialled: { kind: 'unknown' } }],
  ])('%j', (line, wanted) => {
    expect(sendmail(`O InputMailFilters=a\n${line}`).services[0]?.filters).toMatchObject([wanted]);
  });

  it.each<[string, object]>([
    [
      'Port=587, Name=MSA, M=E',
      { title: 'daemon MSA', role: 'submission', macros: ['msa', '587'], ownList: false },
    ],
    ['Name=MTA-v4, Family=inet, Addr=127.0.0.1, Port=27026', { role: 'local' }],
    ['Name=MTA, InputMailFilters=a;b', { ownList: true, filters: [{ text: 'a' }] }],
    ['Name=MTA, Port=smtp', { macros: ['mta', '25'] }],
    ['', { title: 'daemon MTA', role: 'inbound', filters: [{ text: 'g' }] }],
  ])('the daemon %j', (text, wanted) => {
    const cf = `O DaemonPortOptions=${text}\nO InputMailFilters=g\nXa, S=/a\nXg, S=/g`;
    expect(sendmail(cf).services).toMatchObject([wanted]);
  });

  it('reads names from macros, classes and files', () => {
    const mta = sendmail(
      'O X=y\nDj$w.dest.test\nDMmasq.test\nCwa.test b.test\nFw-o /names %[^\\#]\nFR/relay\nO RunAsUser=smmsp:smmsp',
      {
        '/names': 'C.test # ours\n\nlocalhost\n',
      },
    );
    expect(mta.ownName).toBeNull();
    expect(mta.localNames.map(({ name, from }) => `${name} ${from}`)).toEqual([
      'a.test Cw',
      'b.test Cw',
      'c.test /names',
    ]);
    expect(mta.hostedNames).toEqual([{ name: 'masq.test', from: 'DM' }]);
    expect(mta.user).toBe('smmsp');
  });

  it.each([
    [
      "INPUT_MAIL_FILTER(`a', `S=/a')dnl",
      /^sendmail\.cf is a sendmail\.mc; give the sendmail\.cf that is made of it$/,
    ],
    ['hello', /^sendmail\.cf is no sendmail\.cf: /],
  ])('refuses %j', (text, message) => {
    expect(() => sendmail(text)).toThrow(UsageError);
    expect(() => sendmail(text)).toThrow(message);
  });
});
