/** SPF of the HELO name (RFC 7208 §2.3): does the name's owner permit this client? */
import {
  defineCheck,
  type Evidence,
  found,
  none,
  NOTHING,
  type Outcome,
  pass,
  temperror,
  unansweredEvidence,
} from '../check.ts';
import { queryName } from '../helo.ts';
import { checkHelo, type SpfOutcome } from '../spf/index.ts';
import { parseSpfRecord } from '../spf/record.ts';

type SpfFinding = 'helo-spf-fail' | 'helo-spf-softfail' | 'helo-spf-permerror';

export const spf = defineCheck({
  name: 'spf',
  findings: {
    'helo-spf-fail': {
      basis: 'declared',
      denies: 'name',
      summary: 'the SPF record of the HELO name does not permit the client',
      reference: 'RFC 7208 §2.6.4, §8.4',
      weight: 10,
      reason: 'the owner of the name says no; RFC 7208 §2.3 recommends checking the HELO identity',
      why: 'The owner of this name has published which hosts may use it, and yours is not among them. Whoever ignored that would let in the mail that the owner wants to be refused.',
      remedies: ['announce'],
      reply: 'HELO {helo}: its SPF record does not permit {client} ({mechanism})',
      replyWith: {
        unanswered:
          'HELO {helo}: its SPF record asks for the reverse name of {client}, and DNS gave no answer ({unanswered})',
      },
      fix: 'add the client to the record, or announce another name',
      fixWith: { unanswered: 'repair its reverse zone' },
      status: '7.23',
      mechanism: true,
      cure: 'permit-by-spf',
    },
    'helo-spf-softfail': {
      basis: 'declared',
      denies: 'none',
      summary: 'the SPF record of the HELO name says that the client is probably not permitted',
      reference: 'RFC 7208 §2.6.5',
      weight: { rfc5321: 2, emailcore: 2, strict: 4 },
      reason: 'the owner only has reservations: RFC 7208 §8.5 forbids rejecting mail for this alone',
      why: 'The owner of this name has published which hosts use it, and yours is probably not one of them.',
      remedies: ['announce'],
      reply: 'HELO {helo}: its SPF record says {mechanism} of {client}',
      fix: 'add the client to the record',
      status: '7.23',
      mechanism: true,
      // The owner's own address record says more than a reservation about everybody who is not listed.
      excusedByProof: { exact: 1 },
      cure: 'permit-by-spf',
    },
    'helo-spf-permerror': {
      basis: 'declared',
      denies: 'none',
      summary: 'the SPF record of the HELO name cannot be interpreted',
      reference: 'RFC 7208 §2.6.7',
      weight: { rfc5321: 2, emailcore: 2, strict: 4 },
      reason: 'a broken record says neither yes nor no; its owner should hear about it',
      why: 'The record in which the owner says which hosts may use this name cannot be read, so it helps nobody, your own server included.',
      reply: 'HELO {helo}: its SPF record is broken ({detail})',
      fix: 'fix it',
      status: '7.24',
      mechanism: true,
      cure: 'permit-by-spf',
    },
  },
  provesCorrespondence: true,
  method: {
    heading: 'SPF of the name',
    about: 'helo',
    access: { key: 'spf', takes: 'pass' },
    results: { method: 'spf', property: 'smtp.helo' },
  },
  async run({ ip, helo }, resolver, reverse = resolver): Promise<Outcome<SpfFinding>> {
    const name = queryName(helo);
    if (name === null || ip === null) return none();
    const outcome = await checkHelo(ip, name, resolver, { reverse });
    const evidence = { helo: helo.text, ...describe(outcome) };
    switch (outcome.result) {
      case 'pass':
        // A record that permits everybody identifies nobody.
        return pass(evidence, outcome.tooWide === null ? 'authorized' : 'none');
      case 'fail':
        return found('helo-spf-fail', evidence);
      case 'softfail':
        return found('helo-spf-softfail', evidence, 'softfail');
      case 'permerror':
        return found('helo-spf-permerror', evidence, 'permerror');
      case 'temperror':
        return temperror(`${name} SPF`, outcome.detail);
      case 'neutral':
        return { ...none(evidence), result: 'neutral' };
      case 'none':
        return none();
    }
  },
});

function describe({
  mechanism,
  record,
  explanation,
  lookups,
  tooWide,
  detail,
  result,
  unanswered,
}: SpfOutcome): Evidence {
  return {
    // Without the characters that may not stand in a reply.
    mechanism: mechanism?.replaceAll(/ \(([^()]*)\)/g, ' of $1') ?? `no mechanism, ${result}`,
    ...(record === null ? {} : { record }),
    ...notesOn(record),
    lookups: String(lookups),
    ...(explanation === null ? {} : { explanation }),
    ...(tooWide === null ? {} : { toowide: tooWide }),
    ...(detail === '' ? {} : { detail: detail.replaceAll('"', "'") }),
    ...unansweredEvidence(unanswered),
  };
}

/** Terms that say less than their author may think, whatever they decided here. */
function notesOn(text: string | null): Evidence {
  const record = text === null ? null : parseSpfRecord(text);
  if (record === null || 'problem' in record) return NOTHING;
  const notes = [
    ...(record.directives.some(({ mechanism, qualifier }) => mechanism.kind === 'all' && qualifier === '+')
      ? ['+all permits everybody']
      : []),
    ...(record.directives.some(({ mechanism }) => mechanism.kind === 'ptr')
      ? ['ptr should not be used (RFC 7208 §5.5)']
      : []),
  ];
  return notes.length === 0 ? NOTHING : { note: notes.join('; ') };
}
