/**
 * Client SMTP Authorization: what the owner says at `_client._smtp` of the HELO name.
 * draft-ietf-marid-csv-csa-02.
 */
import { defineCheck, found, none, type Outcome, pass, temperror } from '../check.ts';
import { checkCsa } from '../csa.ts';
import { queryName } from '../helo.ts';

export const csa = defineCheck({
  name: 'csa',
  findings: {
    'helo-csa-fail': {
      basis: 'declared',
      denies: 'name',
      summary: 'the CSA record of the HELO name does not authorize the client',
      reference: 'draft-ietf-marid-csv-csa-02',
      weight: 10,
      reason: 'the owner of the name says no; Exim refuses too with verify = csa',
      why: 'The owner of this name has published which hosts may use it, and yours is not among them.',
      remedies: ['announce'],
      reply: 'HELO {helo}: its CSA record does not authorize {client} ({detail})',
      fix: 'fix {record}',
      mechanism: true,
      cure: 'permit-by-csa',
    },
  },
  provesCorrespondence: true,
  method: {
    heading: 'CSA of the name',
    about: 'helo',
    // RFC 8601 knows no method for it.
    results: { method: 'x-csa', property: 'smtp.helo' },
  },
  async run({ ip, helo }, resolver): Promise<Outcome<'helo-csa-fail'>> {
    const name = queryName(helo);
    if (name === null || ip === null) return none();
    const { status, detail, record, ofParent } = await checkCsa(ip, name, resolver);
    const evidence = { helo: helo.text, status, detail, ...(record === null ? {} : { record }) };
    switch (status) {
      case 'ok':
        return pass(evidence, 'authorized');
      case 'fail':
        return found('helo-csa-fail', evidence);
      case 'defer':
        // A host that the name's own records show is not in doubt for what a parent might have said of
        // others.
        return temperror(`${name} CSA`, detail, ofParent === true ? ['exact'] : []);
      case 'unknown':
        return record === null ? none() : none(evidence);
    }
  },
});
