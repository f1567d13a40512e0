/** A DKIM signer (RFC 6376) as small as a test needs: rsa-sha256, relaxed/relaxed. */
import { createHash, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface DkimKey {
  readonly privateKey: KeyObject;
  /** The TXT record at `s._domainkey`, in master-file form. */
  readonly record: string;
}

export function makeDkimKey(): DkimKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const text = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
  const strings = text.match(/.{1,200}/g) ?? [];
  return { privateKey, record: strings.map((each) => `"${each}"`).join(' ') };
}

/**
 * The field for a message, its subject not signed, whose lines end in CRLF and are not folded; selector `s`.
 */
export function signature(
  domain: string,
  { privateKey }: DkimKey,
  header: readonly string[],
  body: string,
): string {
  const relaxed = (field: string): string => {
    const [, name = '', value = ''] = /^([^:]*):(.*)$/s.exec(field) ?? [];
    return `${name.toLowerCase()}:${value.replaceAll(/\s+/g, ' ').trim()}`;
  };
  const signed = header.filter((field) => /^(?:from|to|date|message-id):/i.test(field));
  const canonical = body.replaceAll(/[ \t]+\r\n/g, '\r\n').replace(/(?:\r\n)*$/, '\r\n');
  const hash = createHash('sha256').update(canonical).digest('base64');
  const names = signed.map((field) => field.slice(0, field.indexOf(':'))).join(':');
  const bare = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=s; h=${names}; bh=${hash}; b=`;
  const data = [...signed.map(relaxed), relaxed(bare)].join('\r\n');
  return bare + createSign('RSA-SHA256').update(data).sign(privateKey, 'base64');
}
