/**
 * The report in plain HTML, for the page: it can be printed, and is there without the page's program too.
 * Whatever a stranger wrote is escaped to printable ASCII and then for HTML.
 */
import { escapeHtml as html } from '../help/escape-html.ts';
import { toldEvidence } from '../report/evidence.ts';
import { count, timeText } from '../report/figures.ts';
import type { Letter } from '../report/letter.ts';
import type { CaseReport, SenderReport } from '../report/sender-report.ts';
import {
  hitText,
  methodsText,
  pointsText,
  type ReportResult,
  shown,
  summaryOf,
  titleOf,
} from './report-text.ts';

/** Characters of a link; what a mail program is handed on its command line is bounded by the system. */
const MAX_LINK = 8000;

export function reportSection(result: ReportResult): string {
  return [
    '<h2>Who would be hit</h2>',
    ...summaryOf(result).map((line) => `<p>${html(line)}</p>`),
    ...result.notes.map((note) => `<p class="faint">Note: ${html(note)}</p>`),
    `<p class="faint">Made at ${html(timeText(result.now))}. It holds addresses of people: keep it to yourself.</p>`,
    ...overview(result.senders),
    ...result.senders.flatMap(senderSection),
  ].join('\n');
}

function overview(senders: readonly SenderReport[]): string[] {
  if (senders.length === 0) return [];
  return [
    '<table>',
    '<thead><tr><th></th><th>sender</th><th>points</th><th>messages</th><th>days seen</th><th>accepted</th><th>cause</th></tr></thead>',
    '<tbody>',
    ...senders.map((each, i) => {
      const causes = new Set(each.cases.flatMap(({ reasons }) => reasons[0]?.id ?? []));
      const cells = [each.points, each.messages, each.history.days, each.accepted];
      return (
        `<tr><td class="n">${i + 1}</td><td><a href="#s${i + 1}">${html(titleOf(each))}</a></td>` +
        `${cells.map((cell) => `<td class="n">${cell}</td>`).join('')}<td>${[...causes].map(html).join(', ')}</td></tr>`
      );
    }),
    '</tbody>',
    '</table>',
  ];
}

function senderSection(sender: SenderReport, i: number): string[] {
  const { hits, messages, recipients, moreRecipients, cases, left, lines, letter } = sender;
  return [
    `<details${i === 0 ? ' open' : ''}>`,
    `<summary>${i + 1}. ${html(titleOf(sender))} <span>${sender.points} of 100 points, ${count(messages, 'message')}</span></summary>`,
    // A link to what is inside opens the section; one to the section itself would not.
    `<p id="s${i + 1}">${html(hitText(hits, messages))}</p>`,
    '<table>',
    ...sender.signs.map(
      ({ points, text }) =>
        `<tr><td class="n ${points < 0 ? 'minus' : points > 0 ? 'plus' : 'faint'}">${pointsText(points)}</td><td>${html(text)}</td></tr>`,
    ),
    '</table>',
    ...(recipients.length === 0
      ? []
      : [
          `<p>To ${recipients.map((each) => html(shown(each))).join(', ')}${moreRecipients === 0 ? '' : ' and others'}</p>`,
        ]),
    ...cases.flatMap(caseSection),
    ...(left === 0 ? [] : [`<p>And ${count(left, 'more decision')} of other hosts, names or causes.</p>`]),
    ...(lines.length === 0
      ? []
      : [
          '<h3>For the end of the access list</h3>',
          `<pre>${lines.map(({ line, letsIn }) => html(`${line}  # lets in ${letsIn} of ${messages}`)).join('\n')}</pre>`,
        ]),
    ...(letter === null ? [] : letterSection(letter)),
    '</details>',
  ];
}

function caseSection(each: CaseReport): string[] {
  const { client, helo, action, messages, sender } = each;
  const from = client === null ? 'an unknown address' : shown(client);
  return [
    `<h3><code>${html(shown(helo))}</code> from ${html(from)}: ${action}, ${count(messages, 'message')}</h3>`,
    `<p class="faint">Last ${html(timeText(each.time))}, reference ${html(shown(each.reference))}` +
      `${sender === null ? '' : `, from ${html(shown(sender))}`}${each.uncertain ? '; not sure, as DNS was not asked then' : ''}</p>`,
    '<table>',
    ...each.reasons.map(({ id, weight, summary, evidence }) => {
      const seen = toldEvidence(evidence).map(
        ([key, value]) => `<br><code>${html(`${key}=${shown(value)}`)}</code>`,
      );
      return `<tr><td class="n">${weight}</td><td>${html(summary)} <span class="faint">${html(id)}</span>${seen.join('')}</td></tr>`;
    }),
    '</table>',
    ...methodsText(each).map((line) => `<p>${html(line)}</p>`),
  ];
}

function letterSection({ to, subject, body }: Letter): string[] {
  const link = `mailto:${to ?? ''}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body.replaceAll('\n', '\r\n'))}`;
  const address =
    to === null
      ? 'To nobody that we know of'
      : link.length > MAX_LINK
        ? `To ${html(to)}`
        : `To <a href="${html(link)}">${html(to)}</a>, which is a guess`;
  return [
    '<h3>Letter</h3>',
    `<p>${address}. Subject: ${html(subject)}</p>`,
    `<pre>${html(body.trimEnd())}</pre>`,
  ];
}
