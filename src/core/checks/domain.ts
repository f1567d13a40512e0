/** Checks on the text of a HELO domain, without DNS or the client. RFC 5321 §2.3.5, §4.1.1.1, §4.1.2. */
import {
  defineCheck,
  found,
  none,
  pass,
  PROOF_LEAVES_NOTHING,
  REVERSE_NAME_MAKES_IT_TEMPORARY,
} from '../check.ts';
import { isPublicSuffix } from '../domain.ts';
import { hasNumericTld, specialUseDomain } from '../helo.ts';
import { literalText } from '../ip.ts';

export const heloMissing = defineCheck({
  name: 'given',
  findings: {
    'helo-missing': {
      basis: 'form',
      summary: 'the client gave no HELO name',
      reference: 'RFC 5321 §4.1.4',
      weight: 0,
      reason: 'the MTA itself can insist on HELO (smtpd_helo_required), and some devices send an empty one',
      why: 'Every mail server has to give its name before it sends (RFC 5321). Programs that leave it out are rarely mail servers.',
      reply: 'no HELO name was given',
      fix: 'say EHLO with the name of your host',
      rejectCode: 503,
      status: '5.1',
      cure: 'announce',
    },
  },
  run: ({ helo }) => (helo.kind === 'missing' ? found('helo-missing', {}) : pass()),
});

export const heloSyntax = defineCheck({
  name: 'syntax',
  findings: {
    'helo-syntax': {
      basis: 'form',
      summary: 'the HELO argument is neither a domain nor an address literal',
      reference: 'RFC 5321 §4.1.2',
      weight: 10,
      reason: 'RFC 5321 §4.1.2: such arguments MUST be rejected with 501',
      why: 'A name that cannot be a name is almost only seen from broken or hastily written programs, and nothing can be looked up for it.',
      reply: 'HELO {helo} is not a domain name: {problem}',
      fix: 'set the host name that your mail server announces',
      rejectCode: 501,
      status: '5.2',
      cure: 'announce',
    },
  },
  run({ helo }) {
    if (helo.kind === 'invalid') return found('helo-syntax', { helo: helo.text, problem: helo.problem });
    if (helo.kind === 'bare-ip' && helo.address.family === 6) {
      return found('helo-syntax', { helo: helo.text, problem: 'an IPv6 address belongs in [IPv6:...]' });
    }
    return helo.kind === 'missing' ? none() : pass();
  },
});

export const heloUnderscore = defineCheck({
  name: 'underscore',
  findings: {
    'helo-underscore': {
      basis: 'form',
      summary: 'the HELO name contains an underscore',
      reference: 'RFC 5321 §4.1.2',
      weight: 10,
      reason:
        'outside the grammar, so strictly speaking a 501; the most common fault of otherwise sound hosts, so it has its own weight',
      why: 'Host names consist of letters, digits and hyphens (RFC 1123). Other programs on the way may stumble over an underscore.',
      reply: 'HELO {helo} holds an underscore, which no host name may',
      fix: 'announce a name without one',
      rejectCode: 501,
      status: '5.2',
      cure: 'announce',
    },
  },
  run: ({ helo }) =>
    helo.kind === 'domain' && helo.underscore ? found('helo-underscore', { helo: helo.text }) : 'none',
});

export const heloTrailingDot = defineCheck({
  name: 'trailing-dot',
  findings: {
    'helo-trailing-dot': {
      basis: 'form',
      summary: 'the HELO name ends in a dot',
      reference: 'RFC 5321 §4.1.2',
      weight: 0,
      reason: 'outside the grammar, but it is clear which name is meant',
      why: 'The grammar of SMTP has no final dot. It is understood all the same.',
      reply: 'HELO {helo} ends in a dot, which must not be there',
      fix: 'remove the dot',
      rejectCode: 501,
      status: '5.2',
      cure: 'announce',
    },
  },
  run: ({ helo }) =>
    helo.kind === 'domain' && helo.trailingDot ? found('helo-trailing-dot', { helo: helo.text }) : 'none',
});

export const heloBareIp = defineCheck({
  name: 'bare-ip',
  findings: {
    'helo-bare-ip': {
      basis: 'form',
      summary: 'the HELO argument is an IP address without brackets',
      reference: 'RFC 1123 §2.1',
      weight: 10,
      reason: 'no host has a name of digits, and an address has a form of its own',
      why: 'An address says nothing about who runs the host. Proper mail servers have a name, and an address alone is typical of infected machines.',
      reply: 'HELO {helo} is a bare IP address',
      fix: 'announce a host name, or the address literal {literal}',
      cure: 'announce',
    },
  },
  run({ ip, helo }) {
    if (helo.kind !== 'bare-ip') return 'none';
    // What it said may be anybody's address.
    return found('helo-bare-ip', { helo: helo.text, literal: literalText(ip ?? helo.address) });
  },
});

export const heloNotFqdn = defineCheck({
  name: 'fqdn',
  findings: {
    'helo-not-fqdn': {
      basis: 'form',
      summary: 'the HELO name is a single label',
      reference: 'RFC 5321 §2.3.5',
      weight: 10,
      reason: 'only resolvable FQDNs are permitted; local aliases MUST NOT appear',
      why: 'A name without a domain, such as that of a PC, exists in your own network only. Most mail with such names comes from infected machines.',
      reply: 'HELO {helo} is not a fully qualified domain name',
      fix: 'announce the full name of your host, like mail.example.org',
      cure: 'announce',
    },
  },
  run({ helo }) {
    if (helo.kind !== 'domain') return 'none';
    return helo.labels.length < 2 ? found('helo-not-fqdn', { helo: helo.text }) : pass();
  },
});

export const heloSpecialUse = defineCheck({
  name: 'special-use',
  findings: {
    'helo-special-use': {
      basis: 'form',
      summary: 'the HELO name is in a domain that is never in the public DNS',
      reference: 'RFC 6761 and the like',
      weight: 10,
      reason:
        'not resolvable in the public DNS by definition, so never an FQDN in the sense of RFC 5321 §2.3.5',
      why: 'Names such as `host.local` or `localhost` exist in your own network only. Nobody outside can look them up, or find out whose they are.',
      reply: 'HELO {helo}: {domain} is not part of the public DNS',
      fix: 'announce the public name of your host',
      excusedByProof: REVERSE_NAME_MAKES_IT_TEMPORARY,
      cure: 'announce',
    },
  },
  run({ helo }) {
    if (helo.kind !== 'domain') return 'none';
    const domain = specialUseDomain(helo);
    return domain === null ? pass() : found('helo-special-use', { helo: helo.text, domain });
  },
});

export const heloNumericTld = defineCheck({
  name: 'numeric-tld',
  findings: {
    'helo-numeric-tld': {
      basis: 'form',
      summary: 'the last label of the HELO name is all digits',
      reference: 'RFC 1123 §2.1',
      weight: 10,
      reason: 'no such top-level domain can exist',
      why: 'No domain ends in a number, so nobody can own this name.',
      reply: 'HELO {helo} ends in a number, as no host name can',
      fix: 'announce the public name of your host',
      cure: 'announce',
    },
  },
  run: ({ helo }) =>
    helo.kind === 'domain' && helo.labels.length > 1 && hasNumericTld(helo)
      ? found('helo-numeric-tld', { helo: helo.text })
      : 'none',
});

export const heloPublicSuffix = defineCheck({
  name: 'public-suffix',
  findings: {
    'helo-public-suffix': {
      basis: 'form',
      summary: 'the HELO name is a suffix under which others register, not a host',
      reference: 'RFC 5321 §2.3.5, public suffix list (ICANN section)',
      weight: 10,
      reason:
        'a registry does not send mail as its own suffix; suffixes of private companies are let through, and so is a host whose address or owner proves the name',
      why: 'Others register their domains below this name; it is no host of yours.',
      reply: 'HELO {helo} is a public suffix, not a host',
      fix: 'announce the full name of your host',
      excusedByProof: PROOF_LEAVES_NOTHING,
      cure: 'announce',
    },
  },
  run({ helo }) {
    if (helo.kind !== 'domain' || helo.labels.length < 2) return 'none';
    return isPublicSuffix(helo.name) ? found('helo-public-suffix', { helo: helo.text }) : 'none';
  },
});
