import { expect, it } from 'vitest';
import { makeProgress } from '../../src/commands/progress.ts';
import { fakeTerminal } from '../support/terminal.ts';

function written(columns: number | null | undefined): string {
  let text = '';
  const terminal = fakeTerminal({
    write: () => expect.fail('standard output is for results'),
    writeError: (each) => (text += each),
    ...(columns === undefined ? {} : { screen: { colour: false, columns } }),
  });
  const progress = makeProgress(terminal);
  progress.show('asking 192.0.2.53');
  progress.show('done');
  progress.done();
  return text;
}

it('is one line on a terminal, and gone at the end', () => {
  expect(written(80)).toBe('\r\x1b[Kasking 192.0.2.53\r\x1b[Kdone\r\x1b[K');
});

it('never fills the line', () => {
  expect(written(7)).toBe('\r\x1b[Kasking\r\x1b[Kdone\r\x1b[K');
});

it.each([null, undefined])('says nothing where nobody looks: %s', (columns) => {
  expect(written(columns)).toBe('');
});
