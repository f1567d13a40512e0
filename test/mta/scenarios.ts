/** SMTP sessions and what the client is told in each, by both MTAs if nothing else is said. */

export const SENDER = '198.51.100.7';
export const SENDER6 = '2001:db8:7::1';
export const STRANGER = '203.0.113.50';
const STRANGER6 = '2001:db8:9::1';

/** The code of a reply and the finding it names; by MTA if the two differ. */
export type Told = string | { readonly Postfix: string; readonly Sendmail: string };

/**
 * What the client says, literally or in a short form: `MAIL`, `RCPT`, `RCPT name`, `MESSAGE` (the text and
 * its dot), `STARTTLS` (`STARTTLS CERT` with a certificate that the MTA trusts), `LOGIN`.
 */
export type Line = readonly [say: string, told: Told];

export interface Scenario {
  readonly title: string;
  readonly from: string;
  readonly talk: readonly Line[];
  /** What the decision line of the last verdict holds. */
  readonly logged?: RegExp;
  /** The whole of the last reply. */
  readonly text?: RegExp;
  /** The header of the message as it is queued. */
  readonly header?: RegExp;
}

export interface Group {
  /** Options of the milter. */
  readonly options: readonly string[];
  /** Files that the options name, by the word that the options have in their place. */
  readonly files?: Readonly<Record<string, string>>;
  readonly scenarios: readonly Scenario[];
}

/** One message to one recipient under this name. */
function one(helo: string, from: string, told: Told, more: Partial<Scenario> = {}): Scenario {
  return {
    title: `${helo.length > 40 ? `${helo.slice(0, 37)}...` : helo} from ${from}`,
    from,
    talk: message(helo, told),
    ...more,
  };
}

function message(helo: string, told: Told): Line[] {
  return [
    [`EHLO ${helo}`, '250'],
    ['MAIL', '250'],
    ['RCPT', told],
  ];
}

/** A message, sent as it is. */
const FORGERIES = `${'Authentication-Results: mx.dest.test; x-helo=pass\r\n'.repeat(201)}\r\n.`;

const REST: readonly Line[] = [
  ['DATA', '354'],
  ['MESSAGE', '250'],
];

/** After this the client has said HELO and no more. */
const again: Line = ['RSET', '250'];

/** Sendmail passes on only the first word of the argument. */
const firstWordOnly = (all: string, first: string): Told => ({ Postfix: all, Sendmail: first });

export const GROUPS: readonly Group[] = [
  {
    options: [],
    scenarios: [
      one('mail.sender.org', SENDER, '250'),
      one('MAIL.Sender.ORG', SENDER, '250'),
      one('mail.sender.org', SENDER6, '250'),
      one('pool-a.sender.org', SENDER, '250'),
      one('other.sender.org', STRANGER, '250'),
      one(`[${STRANGER}]`, STRANGER, '250'),
      one('[IPv6:2001:db8:9::1]', STRANGER6, '250'),
      one('this is Jupiter', SENDER, firstWordOnly('501 helo-syntax', '550 helo-not-fqdn')),
      one('x\x01y', SENDER, '501 helo-syntax'),
      one('%s%n"<>', SENDER, '501 helo-syntax'),
      one('caf\xe9.sender.org', SENDER, '501 helo-syntax'),
      one('a_b.sender.org', SENDER, '501 helo-underscore'),
      one('192.0.2.1', SENDER, '550 helo-bare-ip'),
      one('Jupiter', SENDER, '550 helo-not-fqdn'),
      one('printer.local', SENDER, '450 helo-special-use'),
      one('mail.sender.123', SENDER, '550 helo-numeric-tld'),
      one('co.uk', SENDER, '550 helo-public-suffix'),
      one('[198.51.100]', SENDER, '501 helo-literal-malformed'),
      one('gone.strange.org', SENDER, '450 helo-nxdomain'),
      one('mx-only.strange.org', SENDER, '450 helo-no-address'),
      one('inside.strange.org', SENDER, '450 helo-private-address'),
      one('mail.unheard-of.org', SENDER, '450 helo-unregistered'),
      one('cloud.sender.org', SENDER, '550 helo-spf-fail'),
      one('csa.sender.org', SENDER, '550 helo-csa-fail'),
      one('owned.sender.org', SENDER, '550 helo-auth-fail'),
      one('mx.dest.test', SENDER, '550 helo-claims-us'),
      one('Jupiter', '127.0.0.1', '250', { logged: / action=accept exempt=loopback / }),
      {
        title: 'a name of 300 octets',
        from: SENDER,
        talk: [
          [`EHLO ${'x'.repeat(300)}`, { Postfix: '250', Sendmail: '501' }],
          ['MAIL', '250'],
          // Sendmail has refused the command itself, and does not insist on HELO: there is nothing to hold
          // against the client.
          ['RCPT', { Postfix: '501 helo-syntax', Sendmail: '250' }],
        ],
      },
      {
        title: 'HELO in place of EHLO',
        from: SENDER,
        talk: [
          ['HELO Jupiter', '250'],
          ['MAIL', '250'],
          ['RCPT', '550 helo-not-fqdn'],
        ],
      },
      {
        title: 'no HELO at all',
        from: SENDER,
        // smtpd_helo_required of postfix-conf/main.cf; Sendmail's counterpart is needmailhelo in
        // PrivacyOptions.
        talk: [['MAIL', { Postfix: '503', Sendmail: '250' }]],
      },
      {
        title: 'postmaster and abuse are let through, others of the same message are not',
        from: SENDER,
        talk: [
          ...message('Jupiter', '550 helo-not-fqdn'),
          ['RCPT postmaster', '250'],
          ['RCPT abuse', '250'],
          ['RCPT other', '550 helo-not-fqdn'],
          ...REST,
        ],
      },
      {
        title: 'a refused name does not go away by RSET, a new message, or saying it again',
        from: SENDER,
        talk: [
          ...message('Jupiter', '550 helo-not-fqdn'),
          again,
          ['MAIL', '250'],
          ['RCPT', '550 helo-not-fqdn'],
          ...message('Jupiter', '550 helo-not-fqdn'),
        ],
      },
      {
        title: 'another EHLO is judged anew, both ways',
        from: SENDER,
        talk: [
          ...message('Jupiter', '550 helo-not-fqdn'),
          ...message('mail.sender.org', '250'),
          again,
          ...message('Jupiter', '550 helo-not-fqdn'),
        ],
      },
      {
        title: 'an EHLO in the middle of a message',
        from: SENDER,
        talk: [['EHLO mail.sender.org', '250'], ['MAIL', '250'], ...message('Jupiter', '550 helo-not-fqdn')],
      },
      {
        title: 'several messages, RSET twice, an unknown command',
        from: SENDER,
        talk: [
          ...message('mail.sender.org', '250'),
          ...REST,
          ['MAIL', '250'],
          again,
          again,
          ['BOGUS', '500'],
          ['MAIL', '250'],
          ['RCPT', '250'],
          ...REST,
        ],
      },
      {
        title: 'STARTTLS is offered to a client that will be refused, and the verdict stays behind it',
        from: SENDER,
        talk: [['EHLO Jupiter', '250'], ['STARTTLS', '220'], ...message('Jupiter', '550 helo-not-fqdn')],
      },
      {
        title: 'after STARTTLS another name counts',
        from: SENDER,
        talk: [['EHLO Jupiter', '250'], ['STARTTLS', '220'], ...message('mail.sender.org', '250')],
      },
      {
        title: 'a bad name after STARTTLS is not excused by the good one before',
        from: SENDER,
        talk: [
          ['EHLO mail.sender.org', '250'],
          ['STARTTLS', '220'],
          ...message('Jupiter', '550 helo-not-fqdn'),
        ],
      },
      {
        title: 'a client certificate that the MTA trusts',
        from: SENDER,
        talk: [['EHLO Jupiter', '250'], ['STARTTLS CERT', '220'], ...message('Jupiter', '250')],
        logged: / action=accept exempt=certificate /,
      },
      {
        title: 'a client that has logged in',
        from: SENDER,
        talk: [
          ['EHLO Jupiter', '250'],
          ['STARTTLS CERT', '220'],
          ['EHLO Jupiter', '250'],
          ['LOGIN', '235'],
          ['MAIL', '250'],
          ['RCPT', '250'],
        ],
        logged: / action=accept exempt=authenticated /,
      },
      {
        title: 'the reply says what was seen, what to do, and how to find the log line',
        from: SENDER,
        talk: message('gone.strange.org', '450 helo-nxdomain'),
        // Sendmail puts the address first.
        text: /^450 4\.7\.1 (?:<user@dest\.test>\.\.\. )?\[helo-nxdomain\] HELO gone\.strange\.org does not exist in DNS; publish gone\.strange\.org IN A 198\.51\.100\.7, or publish gone\.strange\.org IN TXT "v=spf1 ip4:198\.51\.100\.7", or announce .*; ask postmaster@dest\.test \(ref \S+\)$/,
        logged:
          / helo=gone\.strange\.org action=tempfail verdict=tempfail .* cause=helo-nxdomain .* stage=rcpt from=<sender@sender\.org> rcpt=<user@dest\.test> /,
      },
      {
        title: 'more forged tags than can be removed are a reason to refuse',
        from: SENDER,
        talk: [...message('mail.sender.org', '250'), ['DATA', '354'], [FORGERIES, '550 forged-results']],
        text: /^550 5\.7\.1 \[forged-results\] HELO mail\.sender\.org: this message has 201 Authentication-Results fields in our name, mx\.dest\.test; remove them \(ref \S+\)$/,
        logged: / action=reject verdict=reject .* cause=forged-results .* stage=message /,
      },
      {
        title: 'but not for postmaster',
        from: SENDER,
        talk: [
          ['EHLO mail.sender.org', '250'],
          ['MAIL', '250'],
          ['RCPT', '250'],
          ['RCPT postmaster', '250'],
          ['DATA', '354'],
          [FORGERIES, '250'],
        ],
        logged: / action=accept exempt=postmaster verdict=reject .* cause=forged-results .* stage=message /,
      },
      {
        title: 'accepted mail is tagged above the Received of the MTA, forged tags go',
        from: SENDER,
        talk: [['EHLO mail.sender.org', '250'], ['MAIL', '250'], ['RCPT hold', '250'], ...REST],
        header:
          /^Authentication-Results: mx\.dest\.test;\n\tx-helo=pass policy\.correspondence=exact policy\.stream=verified smtp\.helo=mail\.sender\.org;\n\tiprev=pass policy\.iprev=198\.51\.100\.7;\n\tspf=none smtp\.helo=mail\.sender\.org;\n\tx-csa=none smtp\.helo=mail\.sender\.org\nReceived: (?!(?:.|\n)*reason=forged)(?:.|\n)*other\.test; spf=kept\nAuthentication-Results: mx\.dest\.test; spf=kept/i,
      },
    ],
  },
  {
    options: ['--policy', 'strict'],
    scenarios: [
      one('mail.sender.org', SENDER, '250'),
      one('other.sender.org', STRANGER, '550 helo-mismatch'),
      one('pool-a.sender.org', SENDER, '550 helo-mismatch'),
      one('cloud.sender.org', STRANGER, '250'),
      one('gone.strange.org', SENDER, '550 helo-nxdomain'),
      one(`[${STRANGER}]`, STRANGER, '250'),
      one('[192.0.2.77]', STRANGER, '550 helo-literal-mismatch'),
    ],
  },
  {
    options: ['--policy', 'emailcore', '--no-auth-results'],
    scenarios: [
      one('pool-a.sender.org', SENDER, '250'),
      one('other.sender.org', STRANGER, '250'),
      one('mail.sender.org', STRANGER, '550 helo-mismatch'),
      one(`[${STRANGER}]`, STRANGER, '250'),
      {
        title: 'without the tag a message is left alone, forged tags too',
        from: SENDER,
        talk: [['EHLO mail.sender.org', '250'], ['MAIL', '250'], ['RCPT hold', '250'], ...REST],
        header: /^Received: (?:.|\n)*mx\.dest\.test; x-helo=pass reason=forged/i,
      },
    ],
  },
  {
    options: ['--observe', '--policy', 'strict'],
    scenarios: ['Jupiter', 'gone.strange.org', 'mail.unheard-of.org', '[192.0.2.77]'].map((helo) =>
      one(helo, STRANGER, '250', { logged: / action=accept verdict=reject / }),
    ),
  },
  {
    options: ['--self-test-recipient', 'helotest@dest.test'],
    scenarios: [
      {
        title: 'a self-test is refused and told the result; others of the message are not touched',
        from: SENDER,
        talk: [
          ['EHLO mail.sender.org', '250'],
          ['MAIL', '250'],
          ['RCPT hold', '250'],
          ['RCPT HeloTest', '550'],
          ['RCPT other', '250'],
          ...REST,
        ],
        logged: / action=accept verdict=accept .* recipients=2 queue=\w+ .*end=accepted /,
      },
      {
        title: 'a self-test of a bad name has the findings in several lines',
        from: SENDER,
        talk: [...message('gone.strange.org', '450 helo-nxdomain'), ['RCPT helotest', '550 helo-nxdomain']],
        text: /^550-5\.7\.1 (?:<helotest@dest\.test>\.\.\. )?\[self-test\] 198\.51\.100\.7 as gone\.strange\.org: its mail is delayed .*\[helo-nxdomain\] HELO gone\.strange\.org does not exist in DNS .*to do: publish gone\.strange\.org IN A 198\.51\.100\.7.*This address only answers/s,
      },
      {
        title: 'a self-test of a client that has logged in',
        from: SENDER,
        talk: [
          ['EHLO Jupiter', '250'],
          ['STARTTLS CERT', '220'],
          ['EHLO Jupiter', '250'],
          ['LOGIN', '235'],
          ['MAIL', '250'],
          ['RCPT helotest', '550 helo-not-fqdn'],
          ['RCPT', '250'],
        ],
      },
    ],
  },
  {
    options: ['--apply-at', 'mail'],
    scenarios: [
      {
        title: 'refused at MAIL',
        from: SENDER,
        talk: [
          ['EHLO Jupiter', '250'],
          ['MAIL', '550 helo-not-fqdn'],
          ['EHLO mail.sender.org', '250'],
          ['MAIL', '250'],
        ],
      },
    ],
  },
  {
    options: ['--apply-at', 'helo'],
    scenarios: [
      {
        // Neither MTA shows the client the refusal before MAIL, or shows us a later EHLO.
        title: 'refused at HELO for the rest of the connection',
        from: SENDER,
        talk: [
          ['EHLO Jupiter', '250'],
          ['MAIL', '550 helo-not-fqdn'],
          ['EHLO mail.sender.org', '250'],
          ['MAIL', '550 helo-not-fqdn'],
        ],
      },
      one('mail.sender.org', SENDER, '250'),
    ],
  },
  {
    options: ['--trust', '198.51.100.0/24', '--access', 'ACCESS'],
    files: {
      ACCESS:
        'allow Jupiter ip=203.0.113.50\nallow *.local ptr=mail.sender.org\ndeny other.sender.org text="not you, call +49 30 1234"\n',
    },
    scenarios: [
      one('gone.strange.org', SENDER, '250', { logged: / action=accept exempt=trusted / }),
      one('Jupiter', STRANGER, '250', { logged: / action=accept exempt=access .* access=1 / }),
      one('printer.local', SENDER6, '250', { logged: / exempt=access .* access=2 / }),
      one('Jupiter', SENDER6, '550 helo-not-fqdn'),
      one('other.sender.org', STRANGER, '550 helo-denied', { text: /not you, call \+49 30 1234/ }),
    ],
  },
  {
    // Postfix calls its services by the name of the host, Sendmail as the .mc file says.
    options: ['mx.dest.test', 'MTA-0', 'MTA-1'].flatMap((name) => ['--exempt-daemon', name]),
    scenarios: [one('Jupiter', SENDER, '250', { logged: / action=accept exempt=service / })],
  },
  {
    options: ['--recipient-policy', 'RECIPIENTS'],
    files: { RECIPIENTS: 'strict@dest.test strict\noff@dest.test off\n' },
    scenarios: [
      {
        title: 'one message, three recipients, three policies',
        from: STRANGER,
        talk: [
          ['EHLO mail.sender.org', '250'],
          ['MAIL', '250'],
          ['RCPT', '250'],
          ['RCPT strict', '550 helo-mismatch'],
          ['RCPT off', '250'],
          ['RCPT other', '250'],
          ...REST,
        ],
      },
      {
        title: 'a recipient that takes mail from everybody',
        from: STRANGER,
        talk: [...message('Jupiter', '550 helo-not-fqdn'), ['RCPT off', '250'], ...REST],
      },
    ],
  },
  {
    options: [
      '--help-url',
      'https://dest.test/helo',
      '--contact',
      'postmaster@dest.test or +49 30 1234',
      '--reply-template',
      'helo-not-fqdn=your {helo} from {client} at 100% is too short',
    ],
    scenarios: [
      one('Jupiter', SENDER, '550 helo-not-fqdn', {
        text: /\[helo-not-fqdn\] your Jupiter from 198\.51\.100\.7 at 100% is too short(?:; also [a-z, -]+)?; see https:\/\/dest\.test\/helo#helo-not-fqdn; ask postmaster@dest\.test or \+49 30 1234 \(ref \S+\)$/,
      }),
      {
        title: 'a long address and a long name leave the line at 512 octets',
        from: SENDER,
        talk: [
          [`EHLO ${'a'.repeat(60)}_.${'b.'.repeat(60)}sender.org`, '250'],
          ['MAIL', '250'],
          [`RCPT TO:<${'u'.repeat(60)}@${'d.'.repeat(60)}dest.test>`, '501 helo-underscore'],
        ],
        text: /^[\x20-\x7e]{150,510}$/,
      },
    ],
  },
  {
    options: ['--churn-limit', '3'],
    scenarios: [
      {
        title: 'many names from one address',
        from: STRANGER6,
        talk: [
          ['EHLO a.gone.strange.org', '250'],
          ['EHLO b.gone.strange.org', '250'],
          ['EHLO c.gone.strange.org', '250'],
          ['EHLO d.gone.strange.org', '250'],
          ['MAIL', '250'],
          ['RCPT', '450 helo-nxdomain'],
        ],
        logged: / findings=helo-nxdomain:5,helo-changed:2,helo-churn:2,/,
      },
    ],
  },
];
