/** Is the HELO name an alias? RFC 5321 §2.3.5 wants a primary host name. */
import { defineCheck, found, none, pass, temperror } from '../check.ts';
import { queryName } from '../helo.ts';

export const alias = defineCheck({
  name: 'alias',
  findings: {
    'helo-alias': {
      basis: 'existence',
      summary: 'the HELO name is an alias (CNAME)',
      reference: 'RFC 5321 §2.3.5',
      weight: 0,
      reason:
        'EHLO wants a primary host name, but an alias resolves and names a host; DNS is asked for it only where you set its weight, 0 to see it in the log',
      why: 'RFC 5321 asks for the name of a host, not for an alias of one.',
      reply: 'HELO {helo} is an alias of {target}, which is the name to announce',
      cure: 'announce',
    },
  },
  onlyIfWeighed: true,
  async run({ helo }, resolver) {
    const name = queryName(helo);
    if (name === null) return none();
    const answer = await resolver.lookup(name, 'CNAME');
    if (answer.status === 'temperror') return temperror(`${name} CNAME`, answer.detail);
    if (answer.status !== 'found') return pass();
    return found('helo-alias', { helo: helo.text, target: answer.records[0] ?? '' });
  },
});
