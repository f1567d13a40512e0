/** Colour in what `check` prints; what it prints is tested with the command line. */
import { expect, it } from 'vitest';
import { runCommandLine } from '../../src/commands/command-line.ts';
import type { Screen } from '../../src/commands/paint.ts';
import { fakeTerminal } from '../support/terminal.ts';

async function check(screen?: Screen): Promise<string> {
  let out = '';
  await runCommandLine(
    [
      'check',
      '203.0.113.9',
      'server.local',
      '--weight',
      'iprev-none=6',
      '--dns-zone',
      'examples/senders.zone',
    ],
    '1.2.3',
    fakeTerminal({ write: (text) => (out += text), ...(screen === undefined ? {} : { screen }) }),
  );
  return out;
}

it('paints dispositions and findings, and changes nothing else', async () => {
  const plain = await check();
  const seen = await check({ colour: true, columns: 80 });
  expect(plain).not.toContain('\x1b');
  expect(await check({ colour: false, columns: 80 })).toBe(plain);
  expect(seen).toContain('\x1b[31mreject  \x1b[39m');
  expect(seen).toMatch(/\n {2}\x1b\[36mhelo-special-use\x1b\[39m: /);
  expect(seen.replaceAll(/\x1b\[\d+m/g, '')).toBe(plain);
});

it('says of a client without a reverse name that it has none, in words', async () => {
  expect(await check()).toMatch(/^ {2}reverse name \(iprev\) {2}no reverse name {2}iprev-none$/m);
});
