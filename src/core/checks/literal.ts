/** Checks on address literals, `[192.0.2.1]` and `[IPv6:2001:db8::1]`. RFC 5321 §4.1.3. */
import { defineCheck, found, none, pass } from '../check.ts';
import type { Client } from '../client.ts';
import { isUnreachable, sameHost } from '../embedded.ts';
import { literalText } from '../ip.ts';

/**
 * Whether the client gives the very address it comes from, or the one embedded in it: the honest way to have
 * no name.
 */
function isOwnLiteral({ ip, helo }: Client): boolean {
  return helo.kind === 'literal' && ip !== null && sameHost(helo.address, ip);
}

export const literalSyntax = defineCheck({
  name: 'literal-syntax',
  findings: {
    'helo-literal-malformed': {
      basis: 'form',
      summary: 'the HELO argument begins like an address literal but is not one',
      reference: 'RFC 5321 §4.1.3',
      weight: 10,
      reason: 'wrong syntax is a 501, and always was',
      why: 'An address in brackets has a fixed form. What does not have it cannot be compared with the address that the mail comes from.',
      reply: 'HELO {helo} is not an address literal: {problem}',
      fix: 'announce a host name, or {literal}',
      rejectCode: 501,
      status: '5.2',
      cure: 'announce',
    },
  },
  run({ ip, helo }) {
    if (helo.kind === 'literal') return pass();
    if (helo.kind !== 'literal-malformed') return none();
    const literal = ip === null ? '[192.0.2.1]' : literalText(ip);
    return found('helo-literal-malformed', { helo: helo.text, problem: helo.problem, literal });
  },
});

export const literal = defineCheck({
  name: 'literal',
  findings: {
    'helo-literal': {
      basis: 'form',
      summary: 'the client identifies itself by an address literal',
      reference: 'RFC 5321 §4.1.4',
      weight: 0,
      reason: 'the standard way to have no name; a site that refuses every literal raises this one weight',
      why: 'An address in brackets is allowed, but it says nothing about who runs the host.',
      reply: 'HELO {helo} is an address literal',
      fix: 'announce the public name of your host',
      cure: 'announce',
    },
  },
  run(client) {
    const { helo } = client;
    if (helo.kind !== 'literal') return none();
    const evidence = {
      helo: helo.text,
      address: helo.address.text,
      ...(helo.trailing === '' ? {} : { trailing: helo.trailing }),
    };
    return { ...found('helo-literal', evidence, 'neutral'), optOut: isOwnLiteral(client) };
  },
});

/**
 * What can be held against a client that announces its own literal: nothing, unless the operator gives it a
 * weight.
 */
export const ownLiteralFindings: readonly string[] = Object.keys(literal.findings);

export const literalPrivate = defineCheck({
  name: 'literal-private',
  findings: {
    'helo-literal-private': {
      basis: 'form',
      summary: 'the address literal is one that cannot be reached from outside',
      reference: 'RFC 6890',
      weight: { rfc5321: 2, emailcore: 10, strict: 10 },
      reason:
        'says nothing about the client; mail programs behind NAT do it too, so it is not decisive by default',
      why: 'This address only exists inside your own network. To the outside it identifies nobody, and thousands of hosts have the same one.',
      reply: 'HELO {helo} is a private address',
      fix: 'announce the public name of your host',
      cure: 'announce',
    },
  },
  run(client) {
    const { helo } = client;
    if (helo.kind !== 'literal' || isOwnLiteral(client)) return 'none';
    return isUnreachable(helo.address) ? found('helo-literal-private', { helo: helo.text }) : 'none';
  },
});

export const literalMatches = defineCheck({
  name: 'literal-matches',
  findings: {
    'helo-literal-mismatch': {
      basis: 'inferred',
      summary: "the address literal is not the client's address",
      reference: 'RFC 5321 §4.1.4; draft-ietf-emailcore-as §2.2',
      weight: { rfc5321: 2, emailcore: 10, strict: 10 },
      reason: 'RFC 5321 forbids refusing for a mismatch alone; the applicability statement allows it',
      why: 'The address in brackets is not the one that the mail comes from, so it identifies somebody else.',
      reply: 'HELO {helo} is not the address you come from, {client}',
      fix: 'announce the public name of your host',
      exclusive: 'mismatch',
      cure: 'announce',
    },
  },
  method: { heading: 'address literal', about: 'helo' },
  run(client) {
    const { helo, ip } = client;
    if (helo.kind !== 'literal' || ip === null) return none();
    if (isOwnLiteral(client)) return pass();
    // A private literal never equals a public client: that is the finding, and the mismatch only follows from
    // it.
    if (isUnreachable(helo.address)) return none();
    return found('helo-literal-mismatch', { helo: helo.text });
  },
});
