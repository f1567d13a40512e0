import { expect, it } from 'vitest';
import { SuspectNetworks } from '../../src/dns/suspect-networks.ts';

/** What networks were heard of, in order: `a+` was answered, `a-` was not; a number lets seconds go by. */
it.each<[string, boolean]>([
  ['', false],
  ['a-', true],
  ['a+', false],
  // One that fails among some that do not may be its own trouble.
  ['a+ b+ c-', false],
  ['a+ b- c-', true],
  ['a- b- c+ d+ e+ f+ g+ h+ i+', false],
  // Recent questions weigh more, and one answer does not undo many failures.
  ['a- a- a+ b- b-', true],
  ['a- b- 5 a+ b+', false],
  // What was long ago counts no more.
  ['a- b- 121', false],
  // The last few count for longer, as long as nobody else is heard of.
  ['a- b- 30', true],
])('%j is suspicious: %s', (heard, wanted) => {
  let now = 0;
  const networks = new SuspectNetworks(() => now);
  for (const word of heard.split(' ').filter((each) => each !== '')) {
    if (/^\d/.test(word)) now += Number(word) * 1000;
    else networks.note(word.slice(0, -1), word.endsWith('+'));
  }
  expect(networks.suspicious).toBe(wanted);
});

it('bounds what it keeps', () => {
  const networks = new SuspectNetworks(() => 0);
  for (let i = 0; i < 3000; i++) networks.note(`n${i}`, true);
  expect(networks.count()).toEqual({ failing: 0, networks: 1000 });
});
