/** Colour, on a terminal only. Without colour the text is the same. */
import type { Severity } from '../doctor/diagnosis.ts';
import type { Disposition } from '../policy/policy.ts';

export interface Paint {
  /** `text` in the colour of what happens to the mail. */
  disposition(disposition: Disposition, text: string): string;
  severity(severity: Severity, text: string): string;
  /** The id of a finding. */
  finding(text: string): string;
}

type Colour = 'red' | 'green' | 'yellow' | 'cyan';

/** Select Graphic Rendition (ECMA-48 §8.3.117). */
const SGR: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, cyan: 36 };
const DISPOSITIONS: Readonly<Record<Disposition, Colour>> = {
  accept: 'green',
  tempfail: 'yellow',
  reject: 'red',
};
const SEVERITIES: Readonly<Record<Severity, Colour>> = {
  ok: 'green',
  note: 'cyan',
  warning: 'yellow',
  wrong: 'red',
};

export function makePaint(colour: boolean): Paint {
  const paint = (name: Colour, text: string): string => (colour ? `\x1b[${SGR[name]}m${text}\x1b[39m` : text);
  return {
    disposition: (disposition, text) => paint(DISPOSITIONS[disposition], text),
    severity: (severity, text) => paint(SEVERITIES[severity], text),
    finding: (text) => paint('cyan', text),
  };
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** How a terminal shows what we write. */
export interface Screen {
  /** Standard output takes colour. */
  readonly colour: boolean;
  /** Width of standard error; null if that is not a terminal. */
  readonly columns: number | null;
}

/** No colour if `NO_COLOR` is set to anything (no-color.org), on a dumb terminal, or in a file or pipe. */
export function screenOf(
  stdout: Stream,
  stderr: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Screen {
  const dumb = environment['TERM'] === 'dumb';
  return {
    colour: stdout.isTTY === true && !dumb && (environment['NO_COLOR'] ?? '') === '',
    columns: stderr.isTTY === true && !dumb ? (stderr.columns ?? 80) : null,
  };
}
