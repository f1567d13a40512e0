import fc from 'fast-check';
import { networkShare } from '../../src/service/network-share.ts';
import { describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { parseIp, parsePrefix } from '../../src/core/ip.ts';
import type { Resolver } from '../../src/core/resolver.ts';
import type { Asker, SharedResolver } from '../../src/dns/asker.ts';
import { makePolicy, type Policy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import { TempfailBudget } from '../../src/state/tempfail-budget.ts';
import * as mta from '../support/mta.ts';
import { CLIENT, envelope, hello, list, message, service, ZONE, codeOf } from '../support/service.ts';
import { zoneResolver } from '../support/zone.ts';

describe('the usual session', () => {
  it('accepts an exact host at MAIL, where all later events can be spared', async () => {
    const { log, connection } = service();
    const { say } = connection();
    expect(await say(...hello('mail.sender.org'))).toEqual(['c', 'c']);
    expect(await say(mta.mail('s@sender.org'))).toEqual(['a']);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatch(
      /^decision client=198\.51\.100\.7 helo=mail\.sender\.org action=accept verdict=accept score=0 correspondence=exact stream=verified domain=sender\.org reverse=mail\.sender\.org reverse_domain=sender\.org ms=0 cache=miss stage=mail from=<s@sender\.org> end=unseen ref=\S+$/,
    );
  });

  it.each([
    ['this is Jupiter', '501 helo-syntax'],
    ['192.0.2.1', '550 helo-bare-ip'],
    ['Jupiter', '550 helo-not-fqdn'],
    ['mail.local', '450 helo-special-use'],
    ['gone.strange.org', '450 helo-nxdomain'],
    ['mail.unheard-of.org', '450 helo-unregistered'],
    ['[198.51.100', '501 helo-literal-malformed'],
  ])('refuses %j at RCPT with %s', async (name, wanted) => {
    const { say } = service().connection();
    expect(await say(...hello(name))).toEqual(['c', 'c']);
    const [mail, rcpt] = await say(...message);
    expect(mail).toBe('c');
    expect(codeOf(rcpt)).toBe(wanted);
  });

  it.each(['other.sender.org', `[${CLIENT}]`, 'broken.org', ''])('accepts %j under rfc5321', async (name) => {
    const { say } = service().connection();
    await say(...hello(name));
    expect((await say(...message))[0]).toBe('a');
  });

  it('puts the reference of the log line into the reply', async () => {
    const { log, connection } = service();
    const { say } = connection();
    await say(...hello('Jupiter'));
    const replies = await say(...message);
    const reference = /\(ref (\S+)\)/.exec(replies[1] ?? '')?.[1];
    expect(reference).toBeDefined();
    expect(log[0]).toContain(`ref=${String(reference)}`);
  });

  it('writes one line a decision, not one a recipient', async () => {
    const { log, connection } = service();
    const { say } = connection();
    await say(...hello('Jupiter'));
    await say(mta.mail('s@x'), mta.rcpt('a@y'), mta.rcpt('b@y'), mta.rcpt('c@y'));
    expect(log).toEqual([]);
    await say(mta.abort);
    expect(log).toEqual([
      expect.stringMatching(/ stage=rcpt from=<s@x> rcpt=<a@y> more=<b@y>,<c@y> recipients=3 end=refused /),
    ]);
    await say(mta.mail('s@x'), mta.rcpt('a@y'), mta.abort);
    expect(log).toHaveLength(2);
  });
});

describe('HELO in odd places', () => {
  it('judges MAIL without HELO as a missing name', async () => {
    const { log, connection } = service();
    const { say } = connection();
    await say(mta.connect(CLIENT));
    expect(await say(...message)).toContain('a');
    expect(log[0]).toContain('helo=""');
  });

  it('lets a good name clear the verdict, and the same bad one not', async () => {
    const { say } = service().connection();
    await say(...hello('Jupiter'));
    expect(codeOf((await say(...message)).at(-1))).toBe('550 helo-not-fqdn');
    await say(mta.helo('Jupiter'), mta.abort, mta.abort);
    expect(codeOf((await say(...message)).at(-1))).toBe('550 helo-not-fqdn');
    await say(mta.helo('mail.sender.org'), mta.abort);
    expect((await say(...message))[0]).toBe('a');
    await say(mta.helo('Jupiter'));
    expect(codeOf((await say(...message)).at(-1))).toBe('550 helo-not-fqdn');
  });

  it('tells of a changed name', async () => {
    const { log, connection } = service();
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    await say(mta.helo('other.sender.org'), ...message);
    expect(log[0]).toContain('findings=iprev-other-name:0,helo-changed:2');
  });

  it('keeps the name over ABORT', async () => {
    const { say } = service().connection();
    await say(...hello('Jupiter'), mta.mail('s@x'), mta.abort, mta.abort);
    expect(codeOf((await say(...message)).at(-1))).toBe('550 helo-not-fqdn');
  });
});

describe('who is exempt', () => {
  const login = mta.macros('M', { '{auth_authen}': 'bob' });
  const PIPE = [mta.packet('C', 'localhost\0U'), mta.helo('Jupiter')];

  it.each<[string, Buffer[], Buffer[], string]>([
    ['a client that has logged in', hello('Jupiter'), [login, ...message], 'authenticated'],
    ['loopback', hello('Jupiter', '127.0.0.9'), message, 'loopback'],
    ['loopback, IPv6', hello('Jupiter', '::1'), message, 'loopback'],
    ['a trusted network', hello('Jupiter', '203.0.113.77'), message, 'trusted'],
    [
      'a service by its name',
      [mta.macros('C', { '{daemon_name}': 'Submission' }), ...hello('Jupiter')],
      message,
      'service',
    ],
    [
      'a service by its port',
      [mta.macros('C', { '{daemon_port}': '587' }), ...hello('Jupiter')],
      message,
      'service',
    ],
    [
      'a client certificate, Postfix',
      [mta.connect(CLIENT), mta.macros('H', { '{cert_subject}': 'CN=bob' }), mta.helo('Jupiter')],
      message,
      'certificate',
    ],
    [
      'a client certificate, Sendmail',
      [
        mta.connect(CLIENT),
        mta.macros('H', { '{cert_subject}': 'CN=bob', '{verify}': 'OK' }),
        mta.helo('Jupiter'),
      ],
      message,
      'certificate',
    ],
    ['a unix socket', [mta.packet('C', 'localhost\0L\0\0/run/x\0'), mta.helo('Jupiter')], message, 'local'],
    ['a pipe, Sendmail', PIPE, [mta.macros('M', { _: 'www data@localhost' }), ...message], 'local'],
    ['a pipe, Postfix', PIPE, [mta.macros('M', { _: 'localhost [127.0.0.1]' }), ...message], 'local'],
    ['a pipe, Postfix, IPv6', PIPE, [mta.macros('M', { _: 'localhost [::1]' }), ...message], 'local'],
  ])('%s, from MAIL on and logged so', async (_, start, packets, word) => {
    const prefix = parsePrefix('203.0.113.0/24');
    const { log, connection } = service({ rules: { trusted: prefix === null ? [] : [prefix] } });
    const { say } = connection();
    expect(await say(...start)).toEqual(['c', 'c']);
    expect((await say(...packets))[0]).toBe('a');
    expect(log).toHaveLength(1);
    expect(log[0]).toContain(` action=accept exempt=${word} `);
  });

  it.each<[string, string, string | null]>([
    ['has hung up on Postfix', 'unknown', 'unknown [unknown]'],
    ['has reset the connection under Sendmail', 'localhost', null],
    ['a proxy calls localhost', 'localhost', 'localhost [unknown]'],
    ['a proxy gives another name', 'mail.sender.org', 'user@localhost'],
    ['is called by a name of its own making', 'localhost', 'user@localhost [203.0.113.50]'],
    ['is called so, and forged it', 'localhost', 'localhost [127.0.0.1] (may be forged)'],
  ])('a stranger without an address is not local: one who %s', async (_, hostname, authInfo) => {
    const { say } = service().connection();
    await say(mta.packet('C', `${hostname}\0U`), mta.helo('Jupiter'));
    const macros = authInfo === null ? [] : [mta.macros('M', { _: authInfo })];
    expect(codeOf((await say(...macros, ...message)).at(-1))).toBe('550 helo-not-fqdn');
  });

  it('a stranger with an address is not local, whatever the MTA calls it', async () => {
    const { say } = service().connection();
    await say(mta.connect(CLIENT, 'localhost'), mta.helo('Jupiter'));
    const replies = await say(mta.macros('M', { _: 'user@localhost' }), ...message);
    expect(codeOf(replies.at(-1))).toBe('550 helo-not-fqdn');
  });

  it('a pipe is known at HELO, where the verdict is given there', async () => {
    const { say } = service({ rules: { applyAt: 'helo' } }).connection();
    const known = mta.macros('C', { _: 'root@localhost' });
    expect(await say(known, ...PIPE)).toEqual(['c', 'c']);
  });

  it('an empty login name is no login', async () => {
    const { say } = service().connection();
    await say(...hello('Jupiter'));
    expect(codeOf((await say(mta.macros('M', { '{auth_authen}': '' }), ...message)).at(-1))).toBe(
      '550 helo-not-fqdn',
    );
  });

  it('a certificate that the MTA does not trust is none', async () => {
    const { say } = service().connection();
    await say(
      mta.connect(CLIENT),
      mta.macros('H', { '{cert_subject}': 'CN=bob', '{verify}': 'FAIL' }),
      mta.helo('Jupiter'),
    );
    expect(codeOf((await say(...message)).at(-1))).toBe('550 helo-not-fqdn');
  });

  it('asks DNS nothing for clients that are never refused', async () => {
    const resolver = zoneResolver(ZONE);
    const { say } = service({ resolver }).connection();
    await say(...hello('mail.sender.org', '127.0.0.1'), ...message);
    expect(resolver.queries).toEqual([]);
  });

  it.each([
    ['postmaster@dest.test', 'c'],
    ['PostMaster@dest.test', 'c'],
    ['postmaster', 'c'],
    ['abuse@dest.test', 'c'],
    ['"abuse"@dest.test', 'c'],
    ['not-postmaster@dest.test', '550 helo-not-fqdn'],
    ['postmasters@dest.test', '550 helo-not-fqdn'],
    ['x@postmaster', '550 helo-not-fqdn'],
  ])('mail to %s gets %s', async (recipient, wanted) => {
    const { say } = service().connection();
    await say(...hello('Jupiter'), mta.mail('s@x'));
    expect(codeOf((await say(mta.rcpt(recipient)))[0])).toBe(wanted);
  });

  it.each(['Jupiter', 'gone.strange.org', 'other.sender.org', 'mail.sender.org'])(
    'a bounce of %s is treated as its other mail',
    async (name) => {
      const told = ['s@sender.org', ''].map(async (sender) => {
        const { say } = service().connection();
        await say(...hello(name));
        return (await say(mta.mail(sender), mta.rcpt('r@dest.test'))).map(codeOf);
      });
      const [mail, bounce] = await Promise.all(told);
      expect(bounce).toEqual(mail);
    },
  );

  it('the postmaster of a message whose other recipient is refused', async () => {
    const { log, connection } = service();
    const { say } = connection();
    await say(...hello('Jupiter'), mta.mail('s@x'));
    const replies = await say(
      mta.rcpt('a@dest.test'),
      mta.rcpt('postmaster@dest.test'),
      mta.rcpt('b@dest.test'),
    );
    expect(replies.map(codeOf)).toEqual(['550 helo-not-fqdn', 'c', '550 helo-not-fqdn']);
    await say(mta.abort);
    expect(log.map((line) => /exempt=(\w+)/.exec(line)?.[1])).toEqual([undefined, 'postmaster']);
  });
});

describe('--apply-at', () => {
  it('helo refuses there, and is continue for a good name', async () => {
    const { log, connection } = service({ rules: { applyAt: 'helo' } });
    expect((await connection().say(...hello('Jupiter'))).map(codeOf)).toEqual(['c', '550 helo-not-fqdn']);
    expect(await connection().say(...hello('mail.sender.org'))).toEqual(['c', 'c']);
    expect(log).toHaveLength(1);
    expect(log[0]).toContain('stage=helo');
  });

  it('mail refuses there', async () => {
    const { say } = service({ rules: { applyAt: 'mail' } }).connection();
    await say(...hello('Jupiter'));
    expect(codeOf((await say(mta.mail('s@x')))[0])).toBe('550 helo-not-fqdn');
  });
});

describe('watching', () => {
  it('--observe accepts and logs the verdict', async () => {
    const { log, connection } = service({
      rules: { enforcement: { observe: true, percent: 100, shareOf: networkShare } },
    });
    const { say } = connection();
    await say(...hello('Jupiter'));
    // At RCPT, so that the recipient for whom it would have been refused is known.
    expect(await say(...message)).toEqual(['c', 'a']);
    expect(log[0]).toContain('action=accept verdict=reject score=10 cause=helo-not-fqdn');
    expect(log[0]).toMatch(/ stage=rcpt from=\S+ rcpt=\S+ /);
    expect(log).toHaveLength(1);
  });

  it('whom nobody would refuse is let through at MAIL', async () => {
    const { log, connection } = service({
      rules: { enforcement: { observe: true, percent: 100, shareOf: networkShare } },
    });
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    expect((await say(...message))[0]).toBe('a');
    expect(log[0]).toContain(' stage=mail ');
  });

  it('--shadow-policy is only logged', async () => {
    const { log, connection } = service({ rules: { shadowPolicy: makePolicy('strict', findings) } });
    const { say } = connection();
    await say(...hello('other.sender.org', '203.0.113.50'));
    await say(...message);
    expect(log[0]).toMatch(/ verdict=accept .* shadow=reject:\d+ .* stage=rcpt /);
  });
});

describe('who we are', () => {
  it.each([
    ['the name of the MTA in {j}', 'mx.dest.org', mta.macros('C', { j: 'mx.dest.org' })],
    ['the address in {daemon_addr}', '[192.0.2.5]', mta.macros('C', { '{daemon_addr}': '192.0.2.5' })],
    [
      'the address in Sendmail’s {if_addr}',
      '[IPv6:2001:db8::5]',
      mta.macros('C', { '{if_addr}': 'IPv6:2001:db8:0:0:0:0:0:5' }),
    ],
    ['a name of --our-name', 'host.ours.org', mta.macros('C')],
    ['an address of --our-address', '[192.0.2.9]', mta.macros('C')],
  ])('%s is not for others to give', async (_, name, macros) => {
    const address = parseIp('192.0.2.9');
    const rules = { ourNames: ['ours.org'], ourAddresses: address === null ? [] : [address] };
    const { say } = service({ rules }).connection();
    await say(macros, ...hello(name));
    expect((await say(...message)).at(-1)).toContain('[helo-claims-us]');
  });
});

describe('the cache', () => {
  it('serves the second session, and says so', async () => {
    const resolver = zoneResolver(ZONE);
    const { log, connection } = service({ resolver });
    await connection().say(...hello('mail.sender.org'), ...message);
    const asked = resolver.queries.length;
    await connection().say(...hello('MAIL.sender.org'), ...message);
    expect(resolver.queries).toHaveLength(asked);
    expect(log.map((line) => /cache=(\w+)/.exec(line)?.[1])).toEqual(['miss', 'hit']);
  });

  it('joins sessions that come at the same time', async () => {
    const { log, connection } = service();
    const [a, b] = [connection(), connection()];
    await Promise.all([
      a.say(...hello('mail.sender.org'), ...message),
      b.say(...hello('mail.sender.org'), ...message),
    ]);
    expect(log.map((line) => /cache=(\w+)/.exec(line)?.[1]).sort()).toEqual(['joined', 'miss']);
  });
});

describe('recipients with a policy of their own', () => {
  const recipients = new RecipientPolicies(
    parseRecipientRules('strict.test strict\noff@dest.test off\n.dest.test emailcore', 'file'),
    (preset) => makePolicy(preset, findings),
  );
  const STRANGERS_NAME = 'other.sender.org';
  const rcpt = (to: string): Buffer => mta.rcpt(to);

  it('get two verdicts on one message, each with a line that names its policy', async () => {
    const { log, connection } = service({ rules: { recipients } });
    const { say } = connection();
    await say(...hello(STRANGERS_NAME));
    expect(await say(mta.mail('s@sender.org'))).toEqual(['c']);
    expect(await say(rcpt('a@dest.test'))).toEqual(['c']);
    expect(codeOf((await say(rcpt('b@strict.test')))[0])).toBe('550 helo-mismatch');
    expect(await say(rcpt('c@dest.test'))).toEqual(['c']);
    await say(mta.abort);
    expect(
      log.map((line) => line.replace(/.* action=(\w+).*?( policy=\w+)? verdict=(\w+) .*/, '$1$2 $3')),
    ).toEqual(['accept accept', 'reject policy=strict reject']);
  });

  it('end the events at MAIL where nobody would refuse', async () => {
    const { connection } = service({ rules: { recipients } });
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    await say(mta.mail('s@sender.org'));
    expect(await say(mta.packet('A'), mta.mail('s@sender.org'))).toEqual(['a']);
  });

  it('may opt out of it all', async () => {
    const { log, connection } = service({ rules: { recipients } });
    const { say } = connection();
    await say(...hello('Jupiter'));
    await say(mta.mail('s@sender.org'));
    expect(codeOf((await say(rcpt('a@dest.test')))[0])).toBe('550 helo-not-fqdn');
    expect(await say(rcpt('off@dest.test'), mta.abort)).toEqual(['c']);
    expect(log[1]).toMatch(/ action=accept exempt=opted-out .* rcpt=<off@dest\.test> /);
  });
});

describe('the access list', () => {
  it('lets through what it proves, and logs the line', async () => {
    const { log, connection } = service({ rules: { access: list('allow jupiter ip=198.51.100.0/24') } });
    const { say } = connection();
    await say(...hello('Jupiter'));
    expect((await say(...message)).at(-1)).toBe('a');
    expect(log[0]).toMatch(/ action=accept exempt=access verdict=reject .* access=1 /);
    const other = connection();
    await other.say(...hello('Jupiter', '203.0.113.1'));
    expect(codeOf((await other.say(...message)).at(-1))).toBe('550 helo-not-fqdn');
  });

  it('refuses with the operator’s text, at once when it changes', async () => {
    let access = list('');
    const { connection } = service({
      rules: {
        get access() {
          return access;
        },
      },
    });
    const told = async (): Promise<string> => {
      const { say } = connection();
      await say(...hello('mail.sender.org'));
      return (await say(...message)).at(-1) ?? '';
    };
    expect(await told()).toBe('a');
    access = list('deny .sender.org text="no mail from you, call +49 30 1234"');
    expect(await told()).toContain('[helo-denied] HELO mail.sender.org: no mail from you, call +49 30 1234');
  });
});

describe('DNS trouble costs no mail', () => {
  it('a client that was tempfailed often enough for one name is accepted', async () => {
    let time = 0;
    const budget = new TempfailBudget(
      () => ({ count: 2, ageMs: 1000 }),
      () => time,
    );
    const { log, connection } = service({ budget });
    const { say } = connection();
    await say(...hello('gone.strange.org'));
    const twice = async (): Promise<string[]> =>
      (await say(...envelope, mta.rcpt('second@dest.test'), mta.abort)).map(codeOf);
    expect(await twice()).toEqual(['c', '450 helo-nxdomain', '450 helo-nxdomain']);
    time = 2000;
    expect(await twice()).toEqual(['c', '450 helo-nxdomain', '450 helo-nxdomain']);
    expect((await twice()).slice(0, 2)).toEqual(['c', 'a']);
    expect(log.at(-1)).toContain(' action=accept exempt=tempfail-limit verdict=tempfail ');
  });

  it('a reject is never softened by it', async () => {
    const budget = new TempfailBudget(
      () => ({ count: 1, ageMs: 0 }),
      () => 0,
    );
    const { say } = service({ budget }).connection();
    await say(...hello('Jupiter'));
    for (let i = 0; i < 4; i++)
      expect(codeOf((await say(...message, mta.abort)).at(-1))).toBe('550 helo-not-fqdn');
  });

  it('with --apply-at helo too', async () => {
    const budget = new TempfailBudget(
      () => ({ count: 1, ageMs: 0 }),
      () => 0,
    );
    const { connection } = service({ budget, rules: { applyAt: 'helo' } });
    expect(codeOf((await connection().say(...hello('gone.strange.org'))).at(-1))).toBe('450 helo-nxdomain');
    const { say } = connection();
    expect(await say(...hello('gone.strange.org'))).toEqual(['c', 'c']);
    expect((await say(...message))[0]).toBe('a');
  });

  it('nothing that rests on DNS is refused while the resolver is ill, not even from the cache', async () => {
    let ill = false;
    const { log, connection } = service({
      wasDnsIll: () => ill,
      rules: { policy: makePolicy('strict', findings) },
    });
    const refused = async (): Promise<string> => {
      const { say } = connection();
      await say(...hello('gone.strange.org'));
      return codeOf((await say(...message)).at(-1));
    };
    expect(await refused()).toBe('550 helo-nxdomain');
    ill = true;
    expect(await refused()).not.toMatch(/^[45]/);
    expect(log.at(-1)).toContain(' dns=ill ');
    expect(log.at(-1)).toContain(' cache=hit ');
    ill = false;
    expect(await refused()).toBe('550 helo-nxdomain');
  });

  it.each([
    ['the text', 'Jupiter', '550 helo-not-fqdn'],
    ['a name of ours', 'mx.dest.test', '550 helo-claims-us'],
  ])('a refusal for %s says nothing of an outage', async (_, name, wanted) => {
    const { log, connection } = service({ wasDnsIll: () => true, rules: { ourNames: ['mx.dest.test'] } });
    const { say } = connection();
    await say(...hello(name));
    expect(codeOf((await say(...message)).at(-1))).toBe(wanted);
    expect(log.at(-1)).not.toContain(' dns=');
  });

  describe('what an outage makes a delay of a refusal', () => {
    const NAMES = ['gone.strange.org', 'no.strange.org', 'mail.sender.org', 'Jupiter', 'mail.unheard-of.org'];

    /** One message for each call, in a session of its own. */
    function host(policy: Policy): {
      log: string[];
      replyTo: (name: string, ill: boolean) => Promise<string>;
    } {
      let outage = false;
      const { log, connection } = service({
        resolver: zoneResolver({ ...ZONE, 'no.strange.org': { A: [CLIENT], TXT: ['v=spf1 -all'] } }),
        wasDnsIll: () => outage,
        rules: { policy },
        budget: new TempfailBudget(
          () => ({ count: 1, ageMs: 0 }),
          () => 0,
        ),
      });
      return {
        log,
        replyTo: async (name, ill) => {
          outage = ill;
          const { say } = connection();
          await say(...hello(name));
          return codeOf((await say(...message)).at(-1));
        },
      };
    }

    it('is delayed for as long as it lasts, also where the budget of the domain is spent', async () => {
      const { log, replyTo } = host(makePolicy('rfc5321', findings));
      expect(await replyTo('no.strange.org', false)).toBe('550 helo-spf-fail');
      expect(await replyTo('gone.strange.org', false)).toBe('450 helo-nxdomain');
      expect(await replyTo('gone.strange.org', false)).toBe('a');
      expect(log.at(-1)).toContain(' exempt=tempfail-limit ');
      for (let i = 0; i < 10; i++) expect(await replyTo('no.strange.org', true)).toBe('450 helo-spf-fail');
      expect(await replyTo('no.strange.org', false)).toBe('550 helo-spf-fail');
    });

    it('spends nothing of the budget', async () => {
      const { replyTo } = host(makePolicy('rfc5321', findings));
      for (let i = 0; i < 10; i++) expect(await replyTo('no.strange.org', true)).toBe('450 helo-spf-fail');
      expect(await replyTo('gone.strange.org', false)).toBe('450 helo-nxdomain');
    });

    it.each(['rfc5321', 'emailcore', 'strict'] as const)(
      'is never an acceptance of a declared "no", whatever came before: %s',
      async (preset) => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.boolean()), { maxLength: 20 }),
            async (sessions) => {
              const { replyTo } = host(makePolicy(preset, findings));
              for (const [name, ill] of sessions) {
                const reply = await replyTo(name, ill);
                if (name === 'no.strange.org') expect(reply).toMatch(ill ? /^450 / : /^550 /);
              }
            },
          ),
          { numRuns: 20 },
        );
      },
    );
  });
});

describe('one assessment under way a session', () => {
  /** A resolver that never answers, and the number of its questions that have been cancelled. */
  function silent(): { resolver: SharedResolver; askers: Asker[] } {
    const askers: Asker[] = [];
    const lookup = (): Promise<never> => new Promise(() => undefined);
    return {
      askers,
      resolver: {
        lookup,
        for: (asker) => {
          askers.push(asker);
          return { lookup };
        },
      },
    };
  }

  it('a new name drops the one before it', async () => {
    const { resolver, askers } = silent();
    const { say } = service({ resolver }).connection();
    await say(...hello('a.sender.org'));
    await say(mta.helo('b.sender.org'), mta.helo('c.sender.org'));
    expect(askers.map(({ ended }) => ended)).toEqual(['dropped', 'dropped', null]);
  });

  it('the same name again goes on with what is under way', async () => {
    const { resolver, askers } = silent();
    const { say } = service({ resolver }).connection();
    await say(...hello('a.sender.org'));
    await say(mta.helo('A.sender.org'));
    expect(askers.map(({ ended }) => ended)).toEqual([null]);
  });

  it('what could not be asked is told', async () => {
    const lookup: Resolver['lookup'] = () => Promise.resolve({ status: 'temperror', detail: 'overload' });
    const { log, connection } = service({ resolver: { lookup } });
    for (let i = 0; i < 2; i++) {
      const { say } = connection();
      await say(...hello('gone.strange.org'));
      expect((await say(...message))[0]).toBe('a');
      expect(log.at(-1)).toMatch(/ action=accept .* stream=unverified dns=overload /);
      // Our trouble may be over the next moment.
      expect(log.at(-1)).toContain(' cache=miss ');
    }
  });

  it('what could not be asked for the greed of its own network has to come again, until it is enough', async () => {
    const lookup: Resolver['lookup'] = () => Promise.resolve({ status: 'temperror', detail: 'share' });
    let now = 0;
    const budget = new TempfailBudget(
      () => ({ count: 3, ageMs: 7_200_000 }),
      () => now,
    );
    const { log, connection } = service({ resolver: { lookup }, budget });
    for (const expected of ['tempfail', 'tempfail', 'tempfail', 'accept']) {
      const { say } = connection();
      await say(...hello('gone.strange.org'));
      await say(...message);
      expect(log.at(-1)).toMatch(new RegExp(` action=${expected} .* cause=dns-share .* dns=share `));
      expect(log.at(-1)).toContain(' cache=miss ');
      now += 3_600_000;
    }
    expect(log.at(-1)).toContain(' exempt=tempfail-limit ');
  });
});
describe('our own failures', () => {
  it('a resolver that throws costs no mail', async () => {
    const resolver: Resolver = {
      lookup: () => {
        throw new Error('resolver broken');
      },
    };
    const { log, connection } = service({ resolver });
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    expect(await say(...message)).not.toContainEqual(expect.stringMatching(/^[yrt]/));
    expect(log.join('\n')).toContain('resolver broken');
  });

  it('a resolver that never answers gives an unknown at the deadline, and accepts', async () => {
    const resolver: Resolver = { lookup: () => new Promise(() => undefined) };
    const { log, connection } = service({ resolver });
    const { say } = connection();
    await say(...hello('mail.sender.org'));
    expect(await say(...message)).toEqual(['c']);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await say()).toEqual(['a']);
    expect(log[0]).toContain('findings=dns-temperror:0');
  });
});
