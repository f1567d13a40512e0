/**
 * One object, as `--json` prints it. Printable ASCII: what strangers wrote may reach a terminal, where the
 * controls that JSON leaves as they are (C1, bidirectional) would be obeyed.
 */
export function asJson(report: object): string {
  return `${JSON.stringify(report, null, 2).replaceAll(/[^\n\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  })}\n`;
}
