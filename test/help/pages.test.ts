/** The pages about findings in docs/ say what the program does. `npm run docs` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { PRESETS, type Proof, PROOFS } from '../../src/core/check.ts';
import { findings } from '../../src/core/checks/index.ts';
import { anchorOf, sentence } from '../../src/help/refusal-page.ts';
import { REMEDIES, remediesOf } from '../../src/help/remedies.ts';
import { DEFAULT_REJECT_AT, DEFAULT_TEMPFAIL_AT, presetWeight } from '../../src/policy/policy.ts';
import { markdown } from '../support/generated.ts';

/**
 * A section for each finding, for the sender who was sent there: `--help-url .../docs/findings.md` leads to
 * `#FINDING-ID`.
 */
function findingsPage(): string {
  const sections = [...findings].map(([id, spec]) => {
    const { basis, summary, why = missing(id), reply, replyWith = {}, fix, fixWith = {} } = spec;
    const { rejectCode, tempfailCode, status } = spec;
    const lines = [
      `## ${id}\n`,
      `${sentence(summary)}\n`,
      `**Why receivers care.** ${why}\n`,
      `**In the refusal**, with the names filled in:\n`,
      `> ${basis === 'dns' ? '' : `${rejectCode ?? 550} 5.${status ?? '7.1'} or `}${tempfailCode ?? 450} 4.${tempfailCode === undefined ? '7.1' : (status ?? '7.1')} [${id}] ${withFix(reply, fix)}\n`,
      ...Object.entries(replyWith).map(
        ([name, words]) => `With ${name}:\n\n> ${withFix(words, fixWith[name] ?? fix)}\n`,
      ),
      ...(fix === undefined ? [] : [`${RECORDS}\n`]),
      `**What helps:** ${remediesOf(spec)
        .map((remedy) => `[${lowered(REMEDIES[remedy].title)}](#${anchorOf(remedy)})`)
        .join('; ')}.\n`,
      `Rests on: ${spec.reference}.\n`,
    ];
    return lines.join('\n');
  });
  const used = new Set([...findings.values()].flatMap(remediesOf));
  const remedies = [...used].map((remedy) => {
    const { title, what, ways } = REMEDIES[remedy];
    const lines = [
      `<a id="${anchorOf(remedy)}"></a>\n\n## ${title}\n`,
      `${inMarkdown(what)}\n`,
      ...(ways.length === 0
        ? []
        : [`${ways.map(({ where, how }) => `- **${where}:** ${inMarkdown(how)}`).join('\n')}\n`]),
    ];
    return lines.join('\n');
  });
  return [
    '# Why your mail was refused',
    'A mail server that runs helo-milter checks whether a host has any right to the name that it gives in HELO or EHLO. The refusal names in square brackets what was found; each of these words has a section here. At the end is [what you can do](#how-to-announce), product by product. Ask the contact that the refusal names if it does not help, and quote all of it.',
    '`helo-milter findings --html` makes such a page in your name, for a web server of your own. What each finding weighs is in [weights.md](weights.md). Generated; do not edit.',
    ...sections,
    ...remedies,
  ].join('\n\n');
}

function findingsTable(): string {
  const rows = [...findings].map(([id, spec]) => [
    `\`${id}\``,
    spec.basis,
    ...PRESETS.map((preset) => String(presetWeight(spec, preset))),
    spec.summary,
    spec.reference,
  ]);
  return markdown(['finding', 'basis', ...PRESETS, 'meaning', 'rests on'], rows);
}

/** A section for each finding, for administrators. */
function weightsPage(): string {
  const sections = [...findings].map(
    ([id, { basis, denies = 'none', reason, excusedByProof = {}, weight }]) => {
      const stream = denies === 'none' ? '' : ' Stream: failed, whatever else is shown.';
      const weights = PRESETS.map(
        (preset) => `${preset} ${typeof weight === 'number' ? weight : weight[preset]}`,
      ).join(', ');
      const excuses = PROOFS.flatMap((proof) => {
        const most = excusedByProof[proof];
        return most === undefined
          ? []
          : [
              `${PROOF_WORDS[proof]}: ${PRESETS.map((preset) => (typeof most === 'number' ? most : most[preset])).join(', ')}`,
            ];
      });
      const lines = [
        `## ${id}\n`,
        `Basis: ${basis}.${stream} Weight: ${weights}. Why: ${reason}.\n`,
        ...(excuses.length === 0 ? [] : [`At most, under ${PRESETS.join(', ')}, ${excuses.join('; ')}.\n`]),
      ];
      return lines.join('\n');
    },
  );
  return `# Weights\n\nWhat each finding weighs under each preset, why, and what a proof leaves of it. [findings.md](findings.md) says what happened and how a sender fixes it. Every weight can be set with \`--weight ID=NUMBER\`.\n\nThe weights of what is found are added up. From a score of ${DEFAULT_REJECT_AT} (\`--reject-at\`) mail is refused for good, from ${DEFAULT_TEMPFAIL_AT} (\`--tempfail-at\`) it is delayed, and below that it is let in. So a finding of ${DEFAULT_REJECT_AT} refuses by itself, one of ${DEFAULT_TEMPFAIL_AT} delays by itself, a smaller one matters only together with others, and one of 0 is only written to the log. Generated; do not edit.\n\n${findingsTable()}\n\n${sections.join('\n')}`;
}

function lowered(title: string): string {
  return `${title.charAt(0).toLowerCase()}${title.slice(1)}`;
}

/** Code that has a backtick in it stands between two. */
function inMarkdown(text: string): string {
  return text.replaceAll(/‹([^›]*)›/g, (_, code: string) =>
    code.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``,
  );
}

/** Said of findings that have advice of their own. */
const RECORDS =
  'In place of the general advice at the end, the reply has what this very host can do (records to publish, a name to announce), where that is known to be enough.';

function withFix(words: string, fix: string | undefined): string {
  return [words, ...(fix === undefined ? [] : [fix])].join('; ').replaceAll(/[{}]/g, '*');
}

/** What is shown, in the words of the page. */
const PROOF_WORDS: Readonly<Record<Proof, string>> = {
  exact: 'where an address of the name is the client’s',
  authorized: 'where the owner of the name permits the client',
  aligned: 'where a verified reverse name without the address in it belongs to the same organisation',
  reverse: 'where there is a verified reverse name without the address in it',
};

function missing(id: string): never {
  throw new Error(`say in the FindingSpec of ${id}, as its \`why\`, why receivers care`);
}

it.each([
  ['findings', findingsPage],
  ['weights', weightsPage],
])('the page of %s is up to date', (name, text) => {
  const page = new URL(`../../docs/${name}.md`, import.meta.url);
  if (process.env['WRITE_DOCS'] === '1') writeFileSync(page, text());
  expect(readFileSync(page, 'utf8'), 'run "npm run docs" and commit what it writes').toBe(text());
});
