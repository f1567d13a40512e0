/** docs/doctor.md is generated from the registry. `npm run docs` writes it. */
import { it } from 'vitest';
import { STANDARD_CONFIG } from '../../src/config/source.ts';
import { doctorChecks } from '../../src/doctor/checks/index.ts';
import { expectPage } from '../support/generated.ts';

const PAGE = new URL('../../docs/doctor.md', import.meta.url);

const HEAD = `# What doctor says

\`helo-milter doctor\` reads the settings of the MTA, connects to the milter, and asks the name servers. Give it the options
that the milter runs with. It reads those in \`${STANDARD_CONFIG}\` if that exists, as the service does under its unit,
or those in the file named by \`--config\`; with \`--no-config\` it reads none. Flags win over the file. Each finding has
an id that never changes, a severity, and the line to change:

- \`ok\`: as it should be.
- \`note\`: worth knowing.
- \`warning\`: it works, but is worth changing.
- \`wrong\`: mail is refused, passes unchecked or is missed. The exit code is 1.

\`\`\`sh
helo-milter doctor                                            # this host's Postfix, asked with postconf
helo-milter doctor --postfix-config /etc/postfix-in           # another instance
ssh mx '(postconf -n; postconf -M)' | helo-milter doctor --postfix - --no-probe
helo-milter doctor --sendmail /etc/mail/sendmail.cf --listen unix:/run/helo-milter/socket
\`\`\`

With \`--json\` it prints one object, from which jq takes what you want:

\`\`\`sh run by test/mta/commands.test.ts
helo-milter doctor --json | jq '.findings[] | select(.severity == "wrong") | .id'
\`\`\`

With \`--no-dns\` it asks no name server, with \`--no-probe\` it does not connect to the milter. Whether a resolver validates
DNSSEC shows from a name with a bad signature; \`--bogus-name\` names another one than dnssec-failed.org. Tables of the MTA
(\`hash:\`, \`mysql:\`, …) are not opened. Generated; do not edit.
`;

function page(): string {
  const topics = new Map<string, string[]>();
  for (const { topic, diagnoses } of doctorChecks) {
    const sections = Object.entries(diagnoses).map(([id, { severity, meaning, cure }]) => {
      const lines = [
        `### ${id}`,
        '',
        `${severity}. ${meaning}`,
        ...(cure === null ? [] : ['', `Cure: ${cure}`]),
        '',
      ];
      return lines.join('\n');
    });
    topics.set(topic, [...(topics.get(topic) ?? []), ...sections]);
  }
  return [HEAD, ...[...topics].map(([topic, sections]) => `## ${topic}\n\n${sections.join('\n')}`)].join(
    '\n',
  );
}

it('the manual of doctor is up to date', () => {
  expectPage(PAGE, page());
});
