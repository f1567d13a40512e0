/**
 * The owner record `_auth` of the HELO name, MacQuigg's proposal of 2007; experimental, see
 * `docs/auth-record.md`.
 */
import { checkAuthRecord } from '../auth-record/index.ts';
import { defineCheck, found, none, type Outcome, pass, temperror, unansweredEvidence } from '../check.ts';
import { queryName } from '../helo.ts';

export const auth = defineCheck({
  name: 'auth',
  findings: {
    'helo-auth-fail': {
      basis: 'declared',
      denies: 'name',
      summary: 'the _auth record of the HELO name does not cover the client',
      reference: 'docs/auth-record.md (experimental)',
      weight: 10,
      reason: 'the owner of the name says no; nobody publishes such a record without meaning it',
      why: 'The owner of this name has published which hosts may use it, and yours is not among them.',
      remedies: ['announce'],
      reply: 'HELO {helo}: the record at _auth.{domain} does not cover {client} ({detail})',
      fix: 'fix it',
      mechanism: true,
      cure: 'permit-by-auth-record',
    },
  },
  provesCorrespondence: true,
  method: { heading: '_auth of its owner', about: 'helo' },
  async run({ ip, helo }, resolver, reverse = resolver): Promise<Outcome<'helo-auth-fail'>> {
    const name = queryName(helo);
    if (name === null || ip === null) return none();
    const outcome = await checkAuthRecord(ip, name, resolver, { reverse });
    const { result, detail, domain, record, matched, tooWide, unanswered } = outcome;
    if (domain === null) return none();
    const evidence = {
      helo: helo.text,
      domain,
      ...(record === null ? {} : { record }),
      ...(matched === null ? {} : { matched }),
      ...(detail === '' ? {} : { detail }),
      ...(tooWide === null ? {} : { toowide: tooWide }),
      ...unansweredEvidence(unanswered),
    };
    switch (result) {
      case 'pass':
        return pass(evidence, tooWide === null ? 'authorized' : 'none');
      case 'fail':
        return found('helo-auth-fail', evidence);
      case 'optout':
        return { ...none(evidence), optOut: true };
      case 'temperror':
        // As for CSA: the name itself has no record, and a parent could not be asked.
        return temperror(`_auth.${domain}`, detail, record === null && domain !== name ? ['exact'] : []);
      case 'none':
        return none(evidence);
    }
  },
});
