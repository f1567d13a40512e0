/**
 * Mail for a host with several filters: messages that each of them has something to say about, and fields
 * that pretend to be ours.
 */
import { FORGED, FORGED_KINDS, OTHERS } from '../../fixtures/forged-fields.ts';
import { SENDER } from '../scenarios.ts';
import { makeDkimKey, signature } from './dkim.ts';
import type { Mta } from './mta.ts';
import { SmtpClient } from './smtp-client.ts';
import { ZONES } from './zones.ts';

const key = makeDkimKey();

/**
 * `sender.org` asks to have its mail refused if neither DKIM nor SPF speaks for it; `relay.net` has nothing
 * to do with it.
 */
export const COMPANY_ZONES = {
  ...ZONES,
  'sender.org': `${ZONES['sender.org']}
@         IN TXT "v=spf1 ip4:${SENDER} -all"
mail      IN TXT "v=spf1 a -all"
_dmarc    IN TXT "v=DMARC1; p=reject"
s._domainkey IN TXT ${key.record}
`,
  net: '',
  'relay.net': `@ IN TXT "v=spf1 ip4:${SENDER} -all"`,
};

export interface Letter {
  readonly title: string;
  /** Of the envelope. */
  readonly sender: string;
  readonly signed: boolean;
  /** Above the header. */
  readonly fields?: readonly string[];
  /** Said in HELO, in place of the sender's own name: we refuse it, unless we only watch. */
  readonly helo?: string;
  /** Whether DMARC refuses it, if OpenDMARC has all that it needs. */
  readonly refused: boolean;
}

/** What each filter, and we, write on good mail. AR and SPF are policyd-spf's. */
export const WRITTEN = {
  ours: /^Authentication-Results: mx\.dest\.test;\n\tx-helo=(?:pass|fail) /,
  opendkim:
    /^Authentication-Results: mx\.dest\.test;\n\tdkim=pass \(2048-bit key; unprotected\) header\.d=sender\.org /,
  opendmarc:
    /^Authentication-Results: mx\.dest\.test; dmarc=pass \(p=reject dis=none\) header\.from=sender\.org$/,
  rspamd: /^Authentication-Results: mx\.dest\.test;\n\t[^]*dmarc=pass \(policy=reject\)/,
  AR: /^Authentication-Results: mx\.dest\.test; spf=pass \(sender SPF authorized\) smtp\.mailfrom=/,
  SPF: /^Received-SPF: Pass \(mailfrom\) identity=mailfrom; /,
} as const;

const asFields = (values: readonly string[]): string[] =>
  values.map((value) => `Authentication-Results: ${value.replaceAll('\n', '\r\n')}`);

/** One of each kind, and with other spellings of the field's name. */
const FORGED_EACH = [
  ...asFields(Object.values(FORGED_KINDS).map(([first]) => first)),
  'authentication-results:mx.dest.test; x-helo=pass',
  'Authentication-Results : mx.dest.test; x-helo=pass',
  'AUTHENTICATION-RESULTS:\r\n\tmx.dest.test;\r\n\tx-csa=pass',
];

/**
 * Fields that come from outside and that are not ours to remove: other filters of the host may remove them.
 */
const FROM_OUTSIDE = [
  'Authentication-Results: mx.dest.test; spf=pass smtp.mailfrom=sender.org',
  'Authentication-Results: mx.dest.test; dkim=pass header.d=sender.org',
  'Received-SPF: pass (mx.dest.test: x-helo=pass) client-ip=198.51.100.7;',
  'ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=relay.net; s=s; b=AAAA',
  'ARC-Message-Signature: i=1; a=rsa-sha256; d=relay.net; s=s; h=from; bh=AAAA; b=AAAA',
  'ARC-Authentication-Results: i=1; mx.dest.test; x-helo=pass; dkim=pass header.d=sender.org',
  'X-Authentication-Results: mx.dest.test; x-helo=pass',
  'Authentication-Results-Original: mx.dest.test; x-helo=pass',
];

const GOOD = { sender: 'a@sender.org', signed: true, refused: false };
const DKIM_ONLY = { sender: 'b@relay.net', signed: true, refused: false };
const SPF_ONLY = { sender: 'a@sender.org', signed: false, refused: false };
const NULL_DKIM = { sender: '', signed: true, refused: false };
const NULL_SPF = { sender: '', signed: false, refused: false };
const FORGERY = { sender: 'b@relay.net', signed: false, refused: true };

export const GOOD_MAIL: Letter = { title: 'good mail', ...GOOD };
export const DKIM_ONLY_MAIL: Letter = { title: 'aligned by DKIM only', ...DKIM_ONLY };

export const LETTERS: readonly Letter[] = [
  GOOD_MAIL,
  DKIM_ONLY_MAIL,
  { title: 'aligned by SPF only', ...SPF_ONLY },
  { title: 'a null sender with DKIM', ...NULL_DKIM },
  { title: 'a null sender with SPF for its HELO name', ...NULL_SPF },
  { title: 'a forged sender', ...FORGERY },
  { title: 'good mail with forged fields', ...GOOD, fields: [...FORGED_EACH, ...FROM_OUTSIDE] },
  { title: 'aligned by DKIM only, with forged fields', ...DKIM_ONLY, fields: FORGED_EACH },
  { title: 'a forged sender with forged fields', ...FORGERY, fields: FORGED_EACH },
  { title: 'good mail of a refused name', ...GOOD, helo: 'Jupiter' },
  {
    title: 'mail aligned by DKIM only of a refused name, with forged fields',
    ...DKIM_ONLY,
    fields: [...FORGED_EACH, ...FROM_OUTSIDE],
    helo: 'Jupiter',
  },
];

/** Octets of fields in one message: Sendmail accepts a header of 32 kB. */
const PORTION = 24_000;

/** A letter for each portion of these fields. */
function portions(title: string, letter: typeof GOOD, fields: readonly string[]): Letter[] {
  const all: string[][] = [];
  let size = Infinity;
  for (const field of fields) {
    size += field.length;
    if (size > PORTION) {
      all.push([]);
      size = field.length;
    }
    all.at(-1)?.push(field);
  }
  return all.map((portion, i) => ({ title: `${title} (${i + 1})`, ...letter, fields: portion }));
}

/** With every field of the fixtures that the MTA takes: Sendmail closes the connection at a CR without LF. */
export function allForms(mta: Mta['name']): Letter[] {
  const taken = (values: readonly string[]): string[] =>
    asFields(values).filter((field) => mta === 'Postfix' || !/\r(?!\n)/.test(field));
  const forged = taken(FORGED);
  return [
    ...portions('good mail with every field', GOOD, [...forged, ...taken(OTHERS)]),
    ...portions('aligned by DKIM only, with every forged field', DKIM_ONLY, forged),
    ...portions('a forged sender with every forged field', FORGERY, forged),
  ];
}

export interface Sent {
  /** Finds the message. */
  readonly subject: string;
  /** Replies to MAIL, RCPT, DATA and the message, as far as the session went. */
  readonly replies: readonly string[];
  readonly delivered: boolean;
}

let count = 0;

/** What the client is told, and where the message went. */
export async function send(port: number, { sender, signed, fields = [], helo }: Letter): Promise<Sent> {
  const subject = `company-${++count}-`;
  const header = [
    'From: <a@sender.org>',
    'To: <hold@dest.test>',
    `Subject: ${subject}`,
    'Date: Tue, 24 Nov 2026 12:00:00 +0000',
    `Message-ID: <1@sender.org>`,
  ];
  const body = 'Hello.\r\n';
  const all = [...fields, ...(signed ? [signature('sender.org', key, header, body)] : []), ...header];
  const client = await SmtpClient.connect(port, SENDER);
  const replies: string[] = [];
  try {
    let code = 0;
    for (const line of [
      `EHLO ${helo ?? 'mail.sender.org'}`,
      `MAIL FROM:<${sender}>`,
      'RCPT TO:<hold@dest.test>',
      'DATA',
      `${all.join('\r\n')}\r\n\r\n${body}.`,
    ]) {
      const reply = await client.say(line);
      replies.push(reply.text);
      ({ code } = reply);
      if (code >= 400) break;
    }
    return { subject, replies, delivered: code < 400 };
  } finally {
    client.close();
  }
}
