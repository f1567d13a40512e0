/** One decision, opened. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { OUTCOME_NAMES } from './decisions-view.tsx';
import type { Opened } from './opened.ts';

interface DecisionDialogProps {
  readonly opened: Opened;
  readonly onClose: () => void;
}

export function DecisionDialog({ opened, onClose }: DecisionDialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const { facts, then, now, findings, checks, dns, replyThen, replyNow, omitted } = opened;
  const told = checks.filter(({ result, evidence }) => result !== 'none' || evidence.length > 0);
  return (
    <dialog ref={dialog} aria-labelledby="decision-title" onClose={onClose}>
      <header>
        <h2 id="decision-title">
          <span class={`chip ${then.action}`}>{OUTCOME_NAMES[then.action]}</span>
          {then.action !== now.action && (
            <>
              {' → '}
              <span class={`chip ${now.action}`}>{OUTCOME_NAMES[now.action]}</span>
            </>
          )}
        </h2>
        <button
          type="button"
          onClick={() => {
            dialog.current?.close();
          }}
        >
          Close
        </button>
      </header>
      <dl class="facts">
        {facts.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
        <div>
          <dt>Then</dt>
          <dd>{told4(then)}</dd>
        </div>
        <div>
          <dt>Now</dt>
          <dd>{told4(now)}</dd>
        </div>
      </dl>
      {replyThen !== null && <Reply title="What the sender was told" text={replyThen} />}
      {replyNow !== null && replyNow !== replyThen && <Reply title="What it would be told" text={replyNow} />}
      <h3>Findings</h3>
      {findings.length === 0 ? (
        <p class="faint">Nothing was found.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Finding</th>
              <th>Then</th>
              <th>Now</th>
            </tr>
          </thead>
          <tbody>
            {findings.map(({ id, summary, basis, then: was, now: is, evidence }) => (
              <tr key={id}>
                <td class="long">
                  <b>{id}</b> <span class="faint">{basis}</span>
                  <br />
                  {summary}
                  <Evidence pairs={evidence} />
                </td>
                <td class="n">{was ?? '–'}</td>
                <td class="n">{is ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>Checks</h3>
      {told.length === 0 && <p class="faint">No check had anything to say.</p>}
      <ul class="checks">
        {told.map(({ name, heading, result, correspondence, evidence }) => (
          <li key={name}>
            <b>{heading ?? name}</b>: {result}
            {correspondence !== 'none' && `, ${correspondence}`}
            <Evidence pairs={evidence} />
          </li>
        ))}
      </ul>
      {told.length < checks.length && (
        <p class="faint">
          Nothing to say:{' '}
          {checks
            .filter((each) => !told.includes(each))
            .map(({ name }) => name)
            .join(', ')}
        </p>
      )}
      <h3>DNS at the time of the session</h3>
      {dns.length === 0 ? (
        <p class="faint">Nothing was asked.</p>
      ) : (
        <ul class="dns">
          {dns.map(({ name, type, status, ttl, records, notes }) => (
            <li key={`${name} ${type}`}>
              <code>
                {name} {type}
              </code>{' '}
              {status === 'found' ? '' : status} <span class="faint">{ttl === null ? '' : `ttl ${ttl}`}</span>
              {records.map((record) => (
                <code key={record} class="record">
                  {record}
                </code>
              ))}
              {notes.map((note) => (
                <span key={note} class="faint">
                  {' '}
                  {note}
                </span>
              ))}
            </li>
          ))}
        </ul>
      )}
      {omitted && <p class="faint">Some of it did not fit into the record.</p>}
    </dialog>
  );
}

function told4({ action, score, stream, policy }: Opened['then']): string {
  const scored = score === null ? 'not judged' : `score ${score}, stream ${stream ?? 'unknown'}`;
  return `${OUTCOME_NAMES[action]}; ${scored}${policy === null ? '' : `, policy ${policy}`}`;
}

function Reply({ title, text }: { readonly title: string; readonly text: string }): JSX.Element {
  return (
    <>
      <h3>{title}</h3>
      <pre>{text}</pre>
    </>
  );
}

function Evidence({ pairs }: { readonly pairs: readonly (readonly [string, string])[] }): JSX.Element | null {
  if (pairs.length === 0) return null;
  return (
    <ul class="evidence">
      {pairs.map(([key, value]) => (
        <li key={key}>
          <code>
            {key}={value}
          </code>
        </li>
      ))}
    </ul>
  );
}
