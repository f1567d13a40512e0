import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Arrival, arrivalOf, type OurHosts } from '../../src/report/received.ts';
import { parsePrefix } from '../../src/core/ip.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const DATE = 'Thu, 26 Nov 2026 10:30:03 +0100 (CET)';
const TIME = Date.UTC(2026, 10, 26, 9, 30, 3);
const OURS: OurHosts = { names: ['mx.example.org'], networks: [] };
const AUTO: OurHosts = { names: [], networks: [] };

const field = (value: string): string => `Received: ${value}; ${DATE}\n`;
const POSTFIX = 'by mx.example.org (Postfix) with ESMTPS id 4F1B2A3C';
const SENDMAIL = 'by mx.example.org (8.17.1/8.17.1/Debian-2) with ESMTP id 4AQ9U3xx012345';
const EXIM =
  'by mx.example.org with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <a@sender.net>)\n\tid 1r7AbC-000123-Xy';
const OUTSIDE = field(
  `from mail.sender.net (mail.sender.net [198.51.100.7])\n\t${POSTFIX}\n\tfor <user@example.org>`,
);
const FORGED = field(
  'from forged.net (forged.net [203.0.113.66]) by mx.example.org (Postfix) with ESMTP id 1',
);

/** Client and HELO, or why there are none. */
function brief(header: string, ours = OURS): string {
  const arrival = arrivalOf(header, ours);
  return typeof arrival === 'string' ? arrival : `${arrival.client.text} ${arrival.helo}`;
}

function taken(header: string, ours = OURS): Arrival {
  const arrival = arrivalOf(header, ours);
  if (typeof arrival === 'string') throw new Error(arrival);
  return arrival;
}

describe('reads the field of', () => {
  it.each([
    // Postfix
    [
      'Postfix',
      `from mail.sender.net (mail.sender.net [198.51.100.7])\n\t${POSTFIX}`,
      '198.51.100.7 mail.sender.net',
    ],
    [
      'Postfix, no reverse name',
      `from mail.sender.net (unknown [198.51.100.7])\n\t${POSTFIX}`,
      '198.51.100.7 mail.sender.net',
    ],
    [
      'Postfix, IPv6',
      `from mail.sender.net (unknown [IPv6:2001:db8::7])\n\t${POSTFIX}`,
      '2001:db8::7 mail.sender.net',
    ],
    [
      'Postfix, a literal',
      `from [192.0.2.1] (unknown [198.51.100.7])\n\t${POSTFIX}`,
      '198.51.100.7 [192.0.2.1]',
    ],
    [
      'Postfix, an IPv6 literal',
      `from [IPv6:2001:db8::1] (x.net [IPv6:2001:db8::7])\n\t${POSTFIX}`,
      '2001:db8::7 [IPv6:2001:db8::1]',
    ],
    [
      'Postfix, junk',
      `from this?is?Jupiter (unknown [198.51.100.7])\n\t${POSTFIX}`,
      '198.51.100.7 this?is?Jupiter',
    ],
    ['Postfix, a client called by', `from by (unknown [198.51.100.7])\n\t${POSTFIX}`, '198.51.100.7 by'],
    [
      'Postfix, a client called from',
      `from from (unknown [198.51.100.7])\n\t${POSTFIX}`,
      '198.51.100.7 from',
    ],
    [
      'Postfix, TLS',
      `from a.net (b.net [198.51.100.7])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\n\t(Client CN "a.net", Issuer "x (verified OK)" (not verified))\n\t${POSTFIX}`,
      '198.51.100.7 a.net',
    ],
    [
      'Postfix, HELO in place of EHLO',
      'from a.net (unknown [198.51.100.7]) by mx.example.org (Postfix) with SMTP id 1',
      '198.51.100.7 a.net',
    ],
    [
      'Postfix, HELO with the verified name',
      'from a.net (a.net [198.51.100.7]) by mx.example.org (Postfix) with SMTP id 1',
      '198.51.100.7 a.net',
    ],
    [
      'Postfix, no HELO',
      'from unknown (unknown [198.51.100.7]) by mx.example.org (Postfix) with SMTP id 1',
      'unclear',
    ],
    ['Postfix, EHLO unknown', `from unknown (unknown [198.51.100.7]) ${POSTFIX}`, '198.51.100.7 unknown'],
    ['Postfix, no address', `from a.net (unknown [unknown]) ${POSTFIX}`, 'unclear'],
    [
      'Postfix, SMTPUTF8',
      'from a.net (b.net [198.51.100.7]) by mx.example.org (Postfix) with UTF8SMTPS id 1',
      '198.51.100.7 a.net',
    ],
    [
      'OpenSMTPD',
      'from a.net (b.net [198.51.100.7])\n\tby mx.example.org (OpenSMTPD) with ESMTPS id 5d\n\t(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\n\tfor <u@example.org>',
      '198.51.100.7 a.net',
    ],
    // Sendmail
    ['Sendmail', `from a.net (b.net [198.51.100.7])\n\t${SENDMAIL}`, '198.51.100.7 a.net'],
    [
      'Sendmail, forged',
      `from a.net (b.net [198.51.100.7] (may be forged))\n\t${SENDMAIL}`,
      '198.51.100.7 a.net',
    ],
    ['Sendmail, no name', `from a.net ([198.51.100.7])\n\t${SENDMAIL}`, '198.51.100.7 a.net'],
    ['Sendmail, ident', `from a.net (root@b.net [198.51.100.7])\n\t${SENDMAIL}`, '198.51.100.7 a.net'],
    [
      'Sendmail, IDENT',
      `from a.net (IDENT:some one@b.net [IPv6:2001:db8::7])\n\t${SENDMAIL}`,
      '2001:db8::7 a.net',
    ],
    [
      'Sendmail, no HELO',
      'from [198.51.100.7] ([198.51.100.7]) by mx.example.org (8.17.1/8.17.1) with SMTP id 1',
      'unclear',
    ],
    [
      'Sendmail, a literal',
      `from [198.51.100.7] ([198.51.100.7]) ${SENDMAIL}`,
      '198.51.100.7 [198.51.100.7]',
    ],
    [
      'Sendmail, TLS',
      `from a.net (b.net [198.51.100.7])\n\t${SENDMAIL}\n\t(version=TLSv1.3 cipher=X bits=256 verify=NO)\n\tfor <u@example.org>`,
      '198.51.100.7 a.net',
    ],
    // Exim
    ['Exim', `from a.net ([198.51.100.7])\n\t${EXIM}`, '198.51.100.7 a.net'],
    ['Exim, another HELO', `from b.net ([198.51.100.7] helo=a.net)\n\t${EXIM}`, '198.51.100.7 a.net'],
    ['Exim, ports', `from b.net ([198.51.100.7]:4711 helo=a.net)\n\t${EXIM}`, '198.51.100.7 a.net'],
    ['Exim, ident', `from b.net\n\t([198.51.100.7] helo=a.net ident=root)\n\t${EXIM}`, '198.51.100.7 a.net'],
    ['Exim, no name', `from [198.51.100.7] (helo=a.net)\n\t${EXIM}`, '198.51.100.7 a.net'],
    ['Exim, no name, port', `from [198.51.100.7] (port=4711 helo=a.net)\n\t${EXIM}`, '198.51.100.7 a.net'],
    [
      'Exim, a literal of another',
      `from [198.51.100.7] (helo=[10.0.0.1])\n\t${EXIM}`,
      '198.51.100.7 [10.0.0.1]',
    ],
    ['Exim, its own literal', `from [198.51.100.7]\n\t${EXIM}`, '198.51.100.7 [198.51.100.7]'],
    ['Exim, its own IPv6 literal', `from [2001:db8::7]\n\t${EXIM}`, '2001:db8::7 [IPv6:2001:db8::7]'],
    ['Exim, IPv6', `from b.net ([2001:db8::7] helo=a.net)\n\t${EXIM}`, '2001:db8::7 a.net'],
    ['Exim, no EHLO', 'from [198.51.100.7] by mx.example.org with smtp (Exim 4.96)', 'unclear'],
    ['Exim, a HELO with blanks', `from b.net ([198.51.100.7] helo=this is a.net)\n\t${EXIM}`, 'unclear'],
  ])('%s', (_, value, told) => {
    expect(brief(field(value))).toBe(told);
  });
});

describe('leaves out', () => {
  it.each([
    ['no field', 'Subject: t\n\nReceived: x', 'no-received'],
    [
      'ESMTPSA',
      field('from [10.0.0.2] (dsl.net [198.51.100.9]) by mx.example.org (Postfix) with ESMTPSA id 1'),
      'authenticated',
    ],
    [
      'UTF8SMTPSA',
      field('from x (dsl.net [198.51.100.9]) by mx.example.org (Postfix) with UTF8SMTPSA id 1'),
      'authenticated',
    ],
    [
      'Exim, esmtpa',
      field('from dsl.net ([198.51.100.9] helo=x) by mx.example.org with esmtpa (Exim 4.96)'),
      'authenticated',
    ],
    [
      'Authenticated sender',
      field(`from x (dsl.net [198.51.100.9])\n\t(Authenticated sender: u)\n\t${POSTFIX}`),
      'authenticated',
    ],
    [
      'authenticated bits=0',
      field(`from x (dsl.net [198.51.100.9])\n\t(authenticated bits=0)\n\t${SENDMAIL}`),
      'authenticated',
    ],
    [
      'a web mailer that logs in',
      field('from web.example.org (localhost [127.0.0.1]) by mx.example.org (Postfix) with ESMTPA id 1') +
        FORGED,
      'authenticated',
    ],
    [
      'a certificate, Postfix',
      field(`from x (a.net [198.51.100.9])\n\t(Client CN "a.net", Issuer "CA" (verified OK))\n\t${POSTFIX}`),
      'certified',
    ],
    [
      'a certificate, Sendmail',
      field(`from x (a.net [198.51.100.9]) ${SENDMAIL}\n\t(version=TLSv1.3 cipher=X bits=256 verify=OK)`),
      'certified',
    ],
    ['Postfix, sendmail(1)', field('by mx.example.org (Postfix, from userid 1000)\n\tid 1'), 'inside'],
    [
      'Sendmail, local',
      field('(from root@localhost)\n\tby mx.example.org (8.17.1/8.17.1/Submit) id 1'),
      'inside',
    ],
    [
      'Exim, local',
      field(
        'from root by mx.example.org with local (Exim 4.96)\n\t(envelope-from <root@mx.example.org>)\n\tid 1',
      ),
      'inside',
    ],
    ['loopback', field(`from x (localhost [127.0.0.1]) ${POSTFIX}`), 'inside'],
    ['a private network', field(`from printer (unknown [10.0.0.9]) ${POSTFIX}`), 'inside'],
    [
      'fetchmail',
      field(
        'from pop.x.net [192.0.2.9]\n\tby mx.example.org with POP3 (fetchmail-6.4.37)\n\tfor <u@localhost> (single-drop)',
      ) + OUTSIDE,
      'fetched',
    ],
    [
      'another host',
      field('from a.net (a.net [198.51.100.7]) by mx.provider.net (Postfix) with ESMTP id 1'),
      'another-host',
    ],
    ['qmail', field('(qmail 12 invoked by uid 89)') + OUTSIDE, 'unclear'],
    ['a web page', field('from dsl.net ([198.51.100.9]) by mx.example.org with HTTP'), 'unclear'],
    [
      'Exchange',
      field('from a.net (198.51.100.7) by mx.example.org (10.0.0.5) with Microsoft SMTP Server id 15.1'),
      'unclear',
    ],
    ['no date', `Received: from a.net (a.net [198.51.100.7]) ${POSTFIX}\n`, 'unclear'],
    [
      'a date that is none',
      `Received: from a.net (a.net [198.51.100.7]) ${POSTFIX}; 31 Jun 2026 10:00:00 +0000\n`,
      'unclear',
    ],
    ['two dates', field(`from a.net (a.net [198.51.100.7]) ${POSTFIX}; ${DATE}`), 'unclear'],
    ['semicolons', field(`from a.net (a.net [198.51.100.7]) ${POSTFIX};;;`), 'unclear'],
    ['a comment without end', field(`from a.net (a.net [198.51.100.7] ${POSTFIX}`), 'unclear'],
    ['two clauses of a kind', field(`from a.net (a.net [198.51.100.7]) ${POSTFIX} with ESMTPA`), 'unclear'],
    [
      'a field that is too long',
      field(`from a.net (a.net [198.51.100.7]) ${POSTFIX} (${'x'.repeat(9000)})`),
      'unclear',
    ],
  ])('%s', (_, header, why) => {
    expect(brief(header)).toBe(why);
  });

  it('what may have been cut off', () => {
    expect(arrivalOf('Subject: t\n', OURS, true)).toBe('unclear');
    expect(arrivalOf(OUTSIDE, OURS, true)).not.toBe('unclear');
  });
});

const AMAVIS = [
  'from localhost (localhost [127.0.0.1])\n\tby mx.example.org (Postfix) with ESMTP id 2',
  'from mx.example.org ([127.0.0.1])\n\tby localhost (mx.example.org [127.0.0.1]) (amavisd-new, port 10024)\n\twith ESMTP id x',
].map(field);

describe('passes over hops inside:', () => {
  const networks = [parsePrefix('192.0.2.0/28')].flatMap((each) => each ?? []);
  const STORE = field(
    'from mx.example.org (mx.example.org [192.0.2.1])\n\tby store.example.org (Postfix) with ESMTPS id 3',
  );
  const BOTH: OurHosts = { names: ['mx.example.org', 'store.example.org'], networks: [] };
  it.each([
    [
      'LMTP',
      field('from mx.example.org\n\tby store.example.org with LMTP\n\tid x\n\t(envelope-from <a@b>)'),
      OURS,
    ],
    ['LMTP, names not told', field('from mx.example.org\n\tby store.example.org with LMTP\n\tid x'), AUTO],
    ['Cyrus', field('from mx.example.org ([unix socket])\n\tby mx.example.org (Cyrus 3.6) with LMTPA'), OURS],
    ['amavis', AMAVIS.join(''), OURS],
    ['amavis, names not told', AMAVIS.join(''), AUTO],
    ['a filter with sendmail(1)', field('by mx.example.org (Postfix, from userid 5001)\n\tid 2'), OURS],
    ['another host of ours by its verified name', STORE, BOTH],
    ['another host of ours by its network', STORE, { names: ['mx.example.org'], networks }],
    [
      'a private network, names not told',
      field('from mx.example.org (unknown [10.0.0.1]) by store.lan (Postfix) with ESMTP id 3'),
      AUTO,
    ],
    ['nothing, names not told', '', AUTO],
  ])('%s', (_, above, ours) => {
    expect(brief(above + OUTSIDE + FORGED, ours)).toBe('198.51.100.7 mail.sender.net');
  });

  it('but not over one that only says that it is of ours', () => {
    const claims = field(`from mx.example.org (unknown [203.0.113.9]) ${POSTFIX}`);
    const sendmail = field(`from mx.example.org ([203.0.113.9]) ${SENDMAIL}`);
    const mayBe = field(`from x (mx.example.org [203.0.113.9] (may be forged)) ${SENDMAIL}`);
    expect(brief(claims + FORGED)).toBe('203.0.113.9 mx.example.org');
    expect(brief(sendmail + FORGED)).toBe('203.0.113.9 mx.example.org');
    expect(brief(mayBe + FORGED)).toBe('203.0.113.9 x');
  });
});

describe('never takes a forged field for ours:', () => {
  it.each([
    ['below ours', OUTSIDE + FORGED, '198.51.100.7 mail.sender.net'],
    ['below ours, names not told', OUTSIDE + FORGED, '198.51.100.7 mail.sender.net', AUTO],
    ['below one that cannot be read', field(`from a.net (x) ${POSTFIX}`) + FORGED, 'unclear'],
    [
      'below a login',
      field('from x (d.net [198.51.100.9]) by mx.example.org (Postfix) with ESMTPA id 1') + FORGED,
      'authenticated',
    ],
    [
      'below another host',
      field('from a.net (a.net [198.51.100.7]) by mx.provider.net (Postfix) with ESMTP id 1') + FORGED,
      'another-host',
    ],
    ['below a body', `Subject: t\n\n${FORGED}`, 'no-received'],
    ['in the fold of another', `Subject: t\n ${FORGED}`, 'no-received'],
    [
      'in a recipient',
      field(`from a.net (a.net [198.51.100.7]) ${POSTFIX}\n\tfor <"; x by mx.example.org ( "@example.org>`),
      '198.51.100.7 a.net',
    ],
    [
      'in a HELO of Exim',
      field(`from b.net ([198.51.100.7] helo=x) by mx.example.org with esmtp (from [192.0.2.66]\n\t${EXIM}`),
      'unclear',
    ],
    [
      'in an ident of Sendmail',
      field(`from [192.0.2.66] (ident=x@b.net [198.51.100.7])\n\t${SENDMAIL}`),
      'unclear',
    ],
    [
      'in a helo= of ident',
      field(`from [192.0.2.66] (helo=x ident=@b.net [198.51.100.7])\n\t${SENDMAIL}`),
      'unclear',
    ],
    [
      'in an ident with brackets',
      field(`from a.net (IDENT:x [192.0.2.66]@b.net [198.51.100.7])\n\t${SENDMAIL}`),
      '198.51.100.7 a.net',
    ],
    [
      'in a certificate',
      field(
        `from a.net (b.net [198.51.100.7])\n\t(Client CN "x (verified OK)", Issuer "(Authenticated sender: u)" (not verified))\n\t${POSTFIX}`,
      ),
      '198.51.100.7 a.net',
    ],
  ])('%s', (_, header, told, ours = OURS) => {
    expect(brief(header, ours)).toBe(told);
  });

  it('wherever ours is cut', () => {
    for (let at = 0; at < OUTSIDE.length; at++) {
      expect(brief(`${OUTSIDE.slice(0, at)}\n${FORGED}`), OUTSIDE.slice(0, at)).toSatisfy(
        (told: string) => told !== '203.0.113.66 forged.net' || !/^Received\s*:/.test(OUTSIDE.slice(0, at)),
      );
    }
  });
});

describe('tells the envelope', () => {
  it('from the field and the fields above it', () => {
    const above = 'Return-Path: <a@sender.net>\nDelivered-To: alias@example.org\n';
    const below = 'Return-Path: <forged@x>\nX-Original-To: forged@x\n';
    expect(taken(above + OUTSIDE + below)).toMatchObject({
      time: TIME,
      by: 'mx.example.org',
      sender: '<a@sender.net>',
      recipients: ['<user@example.org>'],
    });
    const untold = field(`from a.net (a.net [198.51.100.7]) ${POSTFIX}`);
    expect(taken(above + untold + below)).toMatchObject({ recipients: ['<alias@example.org>'] });
    expect(taken(untold + below)).toMatchObject({ sender: null, recipients: [] });
    expect(taken(`Return-Path: <>\r\n${untold}`)).toMatchObject({ sender: '<>' });
  });

  it('from what Exim writes', () => {
    expect(taken(field(`from a.net ([198.51.100.7])\n\t${EXIM}\n\tfor u@example.org`))).toMatchObject({
      sender: '<a@sender.net>',
      recipients: ['<u@example.org>'],
    });
  });
});

it('takes names in any case, with CRLF, and with blanks before the colon', () => {
  const header = OUTSIDE.replace('Received:', 'RECEIVED :')
    .replaceAll('\n', '\r\n')
    .replace('by mx', 'By MX');
  expect(brief(header, { names: ['Mx.Example.ORG.'], networks: [] })).toBe('198.51.100.7 mail.sender.net');
});

it('ends after more hops than there can be', () => {
  const hop = AMAVIS[0] ?? '';
  expect(brief(hop.repeat(10_000) + OUTSIDE)).toBe('unclear');
  expect(brief(hop.repeat(60) + OUTSIDE)).toBe('198.51.100.7 mail.sender.net');
});

it('keeps nothing of the header alive but what it tells', () => {
  const rest = 'x'.repeat(200_000);
  const read = (i: number): Arrival =>
    taken(
      Buffer.from(
        `Return-Path: <sender-of-message@sender.net>\n${field(`from mail.sender.net (unknown [198.51.100.${100 + i}])\n\t${POSTFIX}\n\tfor <user@example.org>`)}X: ${rest}`,
      ).toString('latin1'),
    );
  read(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 100 }, (_, i) => read(i));
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  expect(kept).toHaveLength(100);
});
