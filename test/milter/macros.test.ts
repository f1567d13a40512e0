import { describe, expect, it, vi } from 'vitest';
import { decodeCommand } from '../../src/milter/command.ts';
import { Macros, MAX_NAMES, MAX_SET } from '../../src/milter/macros.ts';

const code = (letter: string): number => letter.charCodeAt(0);

/** `C:j=mx` sets a macro, `>H` is the arrival of the command. */
function after(script: readonly string[]): Macros {
  const macros = new Macros();
  for (const step of script) {
    if (step.startsWith('>')) macros.begin(code(step[1] ?? ''));
    else
      macros.set(
        code(step[0] ?? ''),
        step
          .slice(2)
          .split(/[=,]/)
          .filter((text) => text !== '')
          .map((text) => `${text}\0`)
          .join(''),
      );
  }
  return macros;
}

describe('Macros', () => {
  it.each([
    ['a value', ['C:j=mx'], 'j', 'mx'],
    ['braces on either side', ['M:{auth_authen}=bob'], 'auth_authen', 'bob'],
    ['braces asked for a bare name', ['C:j=mx'], '{j}', 'mx'],
    ['the latest stage first', ['M:i=1', 'R:i=2'], 'i', '2'],
    ['an earlier stage where the later has none', ['C:j=mx', 'M:i=1'], 'j', 'mx'],
    ['a set replaced as a whole', ['C:j=mx', 'C:v=1'], 'j', undefined],
    ['nothing where nothing is set', [], 'j', undefined],
    ['nothing for an empty set', ['H:'], 'j', undefined],
    ['a new CONNECT clears what follows', ['H:x=1', 'M:i=1', '>C'], 'x', undefined],
    ['HELO clears MAIL', ['M:i=1', '>H'], 'i', undefined],
    ['HELO keeps CONNECT', ['C:j=mx', '>H'], 'j', 'mx'],
    ['MAIL clears RCPT', ['R:i=1', '>M'], 'i', undefined],
    ['RCPT clears the end of the message', ['E:i=1', '>R'], 'i', undefined],
    ['DATA clears nothing', ['E:i=1', '>T'], 'i', '1'],
    ['UNKNOWN has a set of its own', ['U:i=9'], 'i', '9'],
    ['a stage nobody knows', ['Z:i=9'], 'i', undefined],
    ['the empty value of a name without one', ['C:j'], 'j', ''],
    ['a name that is another one’s value', ['C:v=j,x=1'], 'j', undefined],
  ])('gives %s', (_, script, name, value) => {
    expect(after(script).get(name)).toBe(value);
  });
});

describe('a set without end', () => {
  /** What is kept of a MACRO packet for MAIL with this text. */
  function left(text: string): Macros {
    const command = decodeCommand({ command: code('D'), data: Buffer.from(`M${text}`, 'latin1') });
    if (command.type !== 'macro') throw new Error(command.type);
    const macros = new Macros();
    macros.set(command.stage, command.text);
    return macros;
  }
  const names = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}\0v${i}\0`).join('');
  /** Exactly as long as the bound, NULs included. */
  const long = (value: string): string => `a\0${value}\0`;

  it.each([
    ['the last name within the bound', names(MAX_NAMES), `n${MAX_NAMES - 1}`, `v${MAX_NAMES - 1}`],
    ['no name beyond it', names(MAX_NAMES + 1), `n${MAX_NAMES}`, undefined],
    ['a value that just fits', long('x'.repeat(MAX_SET - 3)), 'a', 'x'.repeat(MAX_SET - 3)],
    ['no value that is cut', long('x'.repeat(MAX_SET)), 'a', undefined],
    ['nothing behind a long value', `${long('x'.repeat(MAX_SET))}i\x001\0`, 'i', undefined],
    ['what comes before a long value', `i\x001\0${long('x'.repeat(MAX_SET))}`, 'i', '1'],
    ['nothing behind NULs', `${'\0'.repeat(2 * MAX_NAMES)}i\x001\0`, 'i', undefined],
  ])('gives %s', (_, text, name, value) => {
    expect(left(text).get(name)).toBe(value);
  });

  it('takes no more memory than the bound', () => {
    expect(left('x'.repeat(1_000_000)).size).toBe(MAX_SET);
    expect(left('\0'.repeat(1_000_000)).size).toBe(MAX_SET);
  });

  it('is read as far as the bound, once, however often it is asked', () => {
    const reads = vi.spyOn(String.prototype, 'indexOf');
    try {
      const macros = left('\0'.repeat(1_000_000));
      for (let i = 0; i < 100; i++) macros.get(`n${i}`);
      expect(reads.mock.calls.length).toBeLessThanOrEqual(2 * MAX_NAMES);
      expect(reads.mock.calls.length).toBeGreaterThan(0);
    } finally {
      reads.mockRestore();
    }
  });
});
