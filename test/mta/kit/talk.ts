/** Sends the lines of a scenario, with the short forms expanded. */
import { readFileSync } from 'node:fs';
import type { Certificates } from './certificates.ts';
import { LOGIN, PASSWORD } from './dovecot-auth.ts';
import type { Mta } from './mta.ts';
import type { Reply, SmtpClient } from './smtp-client.ts';

/** Fields that pretend to be ours, and some that do not. */
const HEADER = [
  'Authentication-Results: mx.dest.test; x-helo=pass reason=forged',
  'authentication-results: (x)',
  ' MX.DEST.TEST 1; spf=none; x-csa=pass reason=forged',
  'Authentication-Results: other.test; spf=kept',
  'Authentication-Results: mx.dest.test; spf=kept',
];

export async function talk(
  client: SmtpClient,
  say: string,
  {
    mta,
    certificates,
    subject,
  }: { readonly mta: Mta['name']; readonly certificates: Certificates; readonly subject: string },
): Promise<Reply> {
  const [verb, word = 'user'] = say.split(' ');
  if (verb === 'STARTTLS') {
    const { cert, key } = certificates.client;
    return client.startTls(word === 'CERT' ? { cert: readFileSync(cert), key: readFileSync(key) } : {});
  }
  if (verb === 'LOGIN') {
    if (mta === 'Sendmail') return client.say('AUTH EXTERNAL =');
    return client.say(`AUTH PLAIN ${Buffer.from(`\0${LOGIN}\0${PASSWORD}`).toString('base64')}`);
  }
  if (say === 'MESSAGE') return client.say([...HEADER, `Subject: ${subject}`, '', 'body', '.'].join('\r\n'));
  if (say === 'MAIL') return client.say('MAIL FROM:<sender@sender.org>');
  return client.say(verb === 'RCPT' && !say.includes(':') ? `RCPT TO:<${word}@dest.test>` : say);
}
