/** What was tried, in a form that can be taken along. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Choice, flagsOf, fragmentOf, tomlOf } from './choice.ts';

interface ExportViewProps {
  readonly choice: Choice;
  readonly isLive: boolean;
}

export function ExportView({ choice, isLive }: ExportViewProps): JSX.Element {
  const link = `${location.href.split('#')[0] ?? ''}#${fragmentOf(choice)}`;
  return (
    <div class="exports">
      <Exported title="Flags" name="flags" text={flagsOf(choice)} />
      <Exported title="Lines of the configuration file" name="toml" text={tomlOf(choice)} />
      <Exported title="Link to these settings" name="link" text={link} />
      <p class="faint">
        <code>helo-milter replay</code> with these flags and the same configuration gives the counts above
        {isLive ? ' for the same decisions in the decision log' : ' for the same logs'}. Try them for some
        days with <code>--observe</code> or <code>--shadow-policy</code> before they are in force; this page
        changes nothing in the running service.
      </p>
    </div>
  );
}

interface ExportedProps {
  readonly title: string;
  readonly name: string;
  readonly text: string;
}

function Exported({ title, name, text }: ExportedProps): JSX.Element {
  const [said, say] = useState('');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      say('copied');
    } catch {
      const area = document.getElementById(`export-${name}`);
      if (area instanceof HTMLTextAreaElement) area.select();
      say('selected: copy it with the keyboard');
    }
  };
  return (
    <div class="exported">
      <label for={`export-${name}`}>{title}</label>
      <textarea id={`export-${name}`} readOnly rows={text.split('\n').length + 1} value={text} />
      <button
        type="button"
        onClick={() => {
          void copy();
        }}
      >
        Copy <span class="hidden">{title}</span>
      </button>
      <span class="faint" role="status">
        {said}
      </span>
    </div>
  );
}
