import { describe, expect, it } from 'vitest';
import { Macros } from '../../src/milter/macros.ts';

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
