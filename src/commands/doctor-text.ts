/**
 * What `doctor` prints: by topic, each finding with the lines to change; or one JSON object, whose names are
 * public API.
 */
import type { Severity } from '../doctor/diagnosis.ts';
import type { GradedDiagnosis } from '../doctor/checks/index.ts';
import { count as number } from '../report/figures.ts';
import { wrap } from '../report/wrap.ts';
import type { Paint } from './paint.ts';

/** The texts come from files and DNS: none of their bytes may control a terminal. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e]/g,
    (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Below the text of a finding. */
const CURE = ' '.repeat(13);

export function diagnosesText(found: readonly GradedDiagnosis[], paint: Paint): string {
  const lines: string[] = [];
  for (const [i, { topic, severity, id, text, changes, cure }] of found.entries()) {
    if (found[i - 1]?.topic !== topic) lines.push(...(i === 0 ? [] : ['']), topic);
    const tag = severity === 'ok' ? '' : ` [${paint.finding(id)}]`;
    lines.push(`  ${paint.severity(severity, severity.padEnd(7))}  ${printable(text)}${tag}`);
    const isBad = severity === 'wrong' || severity === 'warning';
    if (isBad && changes.length === 0 && cure !== null) lines.push(...wrap(cure, CURE).split('\n'));
    for (const { file, line } of changes) lines.push(`             ${file}: ${printable(line)}`);
  }
  return `${[...lines, '', summary(found)].join('\n')}\n`;
}

function summary(found: readonly GradedDiagnosis[]): string {
  const count = (severity: Severity): number => found.filter((each) => each.severity === severity).length;
  const [wrong, warnings, notes] = [count('wrong'), count('warning'), count('note')];
  return `${wrong === 0 ? 'nothing is wrong' : `${wrong} wrong`}, ${number(warnings, 'warning')}, ${number(notes, 'note')}`;
}

export function doctorReport(found: readonly GradedDiagnosis[]): object {
  return {
    version: 1,
    wrong: found.filter(({ severity }) => severity === 'wrong').length,
    warnings: found.filter(({ severity }) => severity === 'warning').length,
    findings: found.map(({ id, severity, topic, text, cure, changes }) => ({
      id,
      severity,
      topic,
      text,
      cure,
      changes,
    })),
  };
}
