import { describe, expect, it } from 'vitest';
import { findGroup, findUser } from '../../src/system/accounts.ts';
import { UsageError } from '../../src/errors.ts';

describe('findUser', () => {
  it.each(['root', '0'])('%s', async (text) => {
    expect(await findUser(text)).toEqual({ name: 'root', uid: 0, gid: 0 });
  });

  it.each(['no-such-user', '4294967294', 'x:y', '--help', ''])('there is no user %j', async (text) => {
    await expect(findUser(text)).rejects.toThrow(UsageError);
  });
});

describe('findGroup', () => {
  it.each([
    ['root', 0],
    ['0', 0],
    ['4242', 4242],
  ])('%s is %d', async (text, gid) => {
    expect(await findGroup(text)).toBe(gid);
  });

  it.each(['no-such-group', '4294967295'])('there is no group %j', async (text) => {
    await expect(findGroup(text)).rejects.toThrow(UsageError);
  });
});
