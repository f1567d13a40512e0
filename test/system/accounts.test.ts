import { describe, expect, it } from 'vitest';
import { accountOf, findGroup, findUser, readAccount } from '../../src/system/accounts.ts';
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

describe('accountOf', () => {
  const group = 'root:x:0:\npostfix:x:105:\nhelo:x:200:other,postfix\nnone:x:201:\n';

  it.each([
    ['postfix:x:102:105::/var/spool/postfix:/usr/sbin/nologin', { uid: 102, gids: [105, 200] }],
    ['root:x:0:0:root:/root:/bin/sh', { uid: 0, gids: [0] }],
  ])('%s', (line, wanted) => {
    const fields = line.split(':');
    expect(accountOf(fields[0] ?? '', fields, group)).toEqual(wanted);
  });
});

describe('readAccount', () => {
  it('finds root on this machine', async () => {
    expect(await readAccount('root')).toMatchObject({ uid: 0 });
  });

  it('is null for a user that is not there', async () => {
    expect(await readAccount('nobody-here')).toBeNull();
  });
});
