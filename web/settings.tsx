/** The options that can be tried. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { PRESETS } from '../src/core/check.ts';
import { type Choice, PRESET_WORDS, REQUIREMENTS, withWeight } from './choice.ts';
import type { KnownFinding } from './messages.ts';
import type { Overview } from './overview.ts';

interface SettingsProps {
  readonly choice: Choice;
  readonly given: Choice;
  readonly findings: readonly KnownFinding[];
  readonly overview: Overview;
  readonly weights: ReadonlyMap<string, number>;
  readonly onChoice: (choice: Choice) => void;
}

export function SettingsPanel(props: SettingsProps): JSX.Element {
  const { choice, given, onChoice } = props;
  const isChanged = JSON.stringify(choice) !== JSON.stringify(given);
  return (
    <section class="settings card" aria-labelledby="settings-title">
      <header>
        <h2 id="settings-title">Try options</h2>
        <button
          type="button"
          aria-disabled={!isChanged}
          onClick={() => {
            if (isChanged) onChoice(given);
          }}
        >
          Reset
        </button>
      </header>
      <fieldset class="presets">
        <legend>Policy</legend>
        {PRESETS.map((preset) => (
          <label key={preset}>
            <input
              type="radio"
              name="policy"
              value={preset}
              checked={choice.policy === preset}
              onChange={() => {
                onChoice({ ...choice, policy: preset });
              }}
            />
            <span>
              <b>{preset}</b> {PRESET_WORDS[preset]}
            </span>
          </label>
        ))}
      </fieldset>
      <label class="field">
        <span>Require</span>
        <select
          value={choice.require ?? ''}
          onChange={(event) => {
            const word = event.currentTarget.value;
            onChoice({ ...choice, require: REQUIREMENTS.find((each) => each === word) ?? null });
          }}
        >
          {/* A flag cannot take back what the configuration file says. */}
          {given.require === null && <option value="">as the policy says</option>}
          {REQUIREMENTS.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      <label class="slider">
        <span>Act on % of networks</span>
        <input
          type="range"
          min={0}
          max={100}
          value={choice.enforcePercent}
          data-slider="enforcePercent"
          onInput={(event) => {
            onChoice({ ...choice, enforcePercent: Number(event.currentTarget.value) });
          }}
        />
        <output>{choice.enforcePercent}</output>
      </label>
      <Weights {...props} />
    </section>
  );
}

function Weights({ choice, given, findings, overview, weights, onChoice }: SettingsProps): JSX.Element {
  const [areAll, setAll] = useState(false);
  const own = new Map(choice.weight);
  const base = new Map(given.weight);
  const seen = new Map(overview.findings.map(({ name, decisions }) => [name, decisions]));
  const shown = findings
    .filter(({ id }) => areAll || seen.has(id) || own.has(id) || (weights.get(id) ?? 0) > 0)
    .toSorted((a, b) => (seen.get(b.id) ?? 0) - (seen.get(a.id) ?? 0));
  return (
    <fieldset class="weights">
      <legend>Weights</legend>
      <label class="check">
        <input
          type="checkbox"
          checked={areAll}
          onChange={(event) => {
            setAll(event.currentTarget.checked);
          }}
        />
        <span>also findings that weigh nothing</span>
      </label>
      {/* It scrolls, so it must be reachable by keyboard. */}
      <ul tabIndex={0} aria-label="Weights of findings">
        {shown.map(({ id, summary }) => {
          const weight = own.get(id) ?? weights.get(id) ?? 0;
          return (
            <li key={id} class={own.has(id) ? 'own' : ''}>
              <label title={summary}>
                <span class="id">{id}</span>
                <input
                  type="range"
                  min={0}
                  max={Math.max(12, Math.ceil(weight))}
                  step={1}
                  value={weight}
                  data-weight={id}
                  onInput={(event) => {
                    onChoice(withWeight(choice, id, Number(event.currentTarget.value)));
                  }}
                />
              </label>
              <output>{weight}</output>
              <button
                type="button"
                class="plain"
                aria-label={`Weight of ${id} as given`}
                disabled={!own.has(id) || own.get(id) === base.get(id)}
                onClick={({ currentTarget }) => {
                  // The button goes, and with it the focus.
                  currentTarget.closest('li')?.querySelector('input')?.focus();
                  const rest = choice.weight.filter(([other]) => other !== id);
                  const before = base.get(id);
                  onChoice({ ...choice, weight: before === undefined ? rest : [...rest, [id, before]] });
                }}
              >
                ↺
              </button>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}
