/** `--list-findings`: every finding with its weight in each preset, from the registry. */
import { type FindingSpec, PRESETS } from '../core/check.ts';
import { presetWeight } from '../policy/policy.ts';
import { table } from './table.ts';

export function listFindings(findings: ReadonlyMap<string, FindingSpec>): string {
  const rows = [...findings].map(([id, spec]) => [
    id,
    spec.basis,
    ...PRESETS.map((preset) => String(presetWeight(spec, preset))),
    spec.summary,
  ]);
  return table([['finding', 'basis', ...PRESETS, 'what it means'], ...rows]);
}
