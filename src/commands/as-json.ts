import { asciiJson } from '../log/value.ts';

/**
 * One object, as `--json` prints it. Printable ASCII: what strangers wrote may reach a terminal, where the
 * controls that JSON leaves as they are (C1, bidirectional) would be obeyed.
 */
export function asJson(report: object): string {
  return `${asciiJson(report, 2)}\n`;
}
