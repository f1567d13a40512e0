import { describe, expect, it } from 'vitest';
import { parseMailbox } from '../../src/policy/mailbox.ts';

describe('parseMailbox', () => {
  it.each([
    ['User@Dest.Test', 'user', 'dest.test'],
    ['user@dest.test.', 'user', 'dest.test'],
    ['"user"@dest.test', 'user', 'dest.test'],
    [String.raw`"a\"b @ c"@dest.test`, 'a"b @ c', 'dest.test'],
    ['@one.test,@two.test:user@dest.test', 'user', 'dest.test'],
    ['postmaster', 'postmaster', ''],
    ['"Postmaster"', 'postmaster', ''],
    ['user@[192.0.2.1]', 'user', '[192.0.2.1]'],
    ['@no-colon', '', 'no-colon'],
    ['', '', ''],
  ])('%j is %j at %j', (path, local, domain) => {
    expect(parseMailbox(path)).toEqual({ local, domain });
  });
});
