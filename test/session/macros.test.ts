import { expect, it } from 'vitest';
import { macrosFor } from '../../src/session/macros.ts';
import type { Stage } from '../../src/policy/rules.ts';

it.each<[Stage, string[]]>([
  ['rcpt', ['mail']],
  ['mail', ['mail']],
  ['helo', ['connect', 'helo', 'mail']],
])('with --apply-at %s, macros come at %j', (applyAt, stages) => {
  const asked = Object.entries(macrosFor(applyAt)).filter(([, names]) => names.length > 0);
  expect(asked.map(([stage]) => stage)).toEqual(stages);
});

it.each<[Stage, keyof ReturnType<typeof macrosFor>]>([
  ['rcpt', 'mail'],
  ['helo', 'connect'],
])('with --apply-at %s, the name of the MTA is known at %s', (applyAt, stage) => {
  expect(macrosFor(applyAt)[stage]).toEqual(
    expect.arrayContaining(['j', '_', '{daemon_name}', '{daemon_port}']),
  );
});

it('a login and the queue id are asked for at MAIL, each macro once', () => {
  for (const applyAt of ['helo', 'mail', 'rcpt'] as const) {
    const names = Object.values(macrosFor(applyAt)).flat();
    expect(macrosFor(applyAt).mail).toEqual(expect.arrayContaining(['i', '{auth_authen}']));
    expect(names.filter((name) => name === 'j')).toHaveLength(1);
  }
});
