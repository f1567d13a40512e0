/** What weighs, the finding on most decisions first. */
import type { JSX } from 'preact';
import { number, share } from './format.ts';
import type { KnownFinding } from './messages.ts';
import type { Overview } from './overview.ts';

interface FindingsViewProps {
  readonly overview: Overview;
  readonly findings: readonly KnownFinding[];
  readonly weights: ReadonlyMap<string, number>;
  readonly onFinding: (id: string) => void;
}

export function FindingsView({ overview, findings, weights, onFinding }: FindingsViewProps): JSX.Element {
  if (overview.findings.length === 0) return <p class="state">With these options nothing weighs.</p>;
  const known = new Map(findings.map((each) => [each.id, each]));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Findings">
      <table>
        <thead>
          <tr>
            <th>Finding</th>
            <th>Weight</th>
            <th>Decisions</th>
            <th>Accepted</th>
            <th>Delayed</th>
            <th>Refused</th>
            <th>Stricter</th>
          </tr>
        </thead>
        <tbody>
          {overview.findings.map(({ name, decisions, now, stricter }) => (
            <tr key={name}>
              <td class="long">
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    onFinding(name);
                  }}
                >
                  {name}
                </button>
                <br />
                <span class="faint">{known.get(name)?.summary ?? ''}</span>
              </td>
              <td class="n">{weights.get(name) ?? ''}</td>
              <td class="n">
                {number(decisions)} <span class="faint">{share(decisions, overview.all.decisions)}</span>
              </td>
              <td class="n">{number(now.accept)}</td>
              <td class="n">{number(now.tempfail)}</td>
              <td class="n">{number(now.reject)}</td>
              <td class="n">{number(stricter)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
