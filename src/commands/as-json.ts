/** A report as a command prints it with `--json`. */
export function asJson(report: object): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}
