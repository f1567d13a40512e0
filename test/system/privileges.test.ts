import { describe, expect, it } from 'vitest';
import type { Host, Ids, ProcessIdentity } from '../../src/system/host.ts';
import { becomeUser, wantedIdentity } from '../../src/system/privileges.ts';
import { UsageError } from '../../src/errors.ts';
import { makeHost } from '../support/host.ts';

const ROOT: Ids = { uid: 0, euid: 0, gid: 0, egid: 0, groups: [0] };
const as = (ids: Ids): ProcessIdentity => makeHost({ identity: { current: () => ids } }).identity;

/** A process started by root, on a system that does what it is told and records it in order. */
function root({ sticky = false }: { readonly sticky?: boolean } = {}): {
  readonly host: Host;
  readonly calls: string[];
} {
  const calls: string[] = [];
  let ids = ROOT;
  const need = (): void => {
    if (ids.euid !== 0 && !sticky) throw new Error('EPERM');
  };
  const identity: ProcessIdentity = {
    current: () => ids,
    setGroups: (groups) => {
      need();
      calls.push(`setGroups ${groups.join(',')}`);
    },
    initGroups: (user, gid) => {
      need();
      calls.push(`initGroups ${user} ${gid}`);
    },
    setGid: (gid) => {
      need();
      calls.push(`setGid ${gid}`);
      ids = { ...ids, gid, egid: gid };
    },
    setUid: (uid) => {
      need();
      calls.push(`setUid ${uid}`);
      ids = { ...ids, uid, euid: uid };
    },
  };
  return { host: makeHost({ identity }), calls };
}

describe('wantedIdentity', () => {
  it.each<[string | null, string | null, Ids, unknown]>([
    [null, null, ROOT, null],
    ['root', null, ROOT, null],
    ['root', '4242', ROOT, { user: 'root', uid: 0, gid: 4242 }],
    ['0', '0', { uid: 1, euid: 0, gid: 1, egid: 0, groups: [] }, null],
  ])('%j, %j', async (user, group, ids, wanted) => {
    expect(await wantedIdentity({ user, group }, as(ids))).toEqual(wanted);
  });

  it.each<[string | null, string | null, RegExp]>([
    [null, 'root', /^--group: it needs --user$/],
    ['no-such-user', null, /^--user: there is no user "no-such-user"$/],
    ['root', 'no-such-group', /^--group: there is no group "no-such-group"$/],
    ['root', null, /^--user: only root can become "root"; start as root, or leave it out$/],
  ])('refuses %j, %j to an ordinary user', async (user, group, message) => {
    const wanted = wantedIdentity({ user, group }, makeHost().identity);
    await expect(wanted).rejects.toThrow(UsageError);
    await expect(wanted).rejects.toThrow(message);
  });
});

describe('becomeUser', () => {
  const NOBODY = { user: 'nobody', uid: 65534, gid: 65533 };

  it('gives up groups, group and user, in this order', () => {
    const { host, calls } = root();
    becomeUser(NOBODY, host);
    expect(calls).toEqual(['initGroups nobody 65533', 'setGid 65533', 'setUid 65534']);
  });

  it('refuses a system that would let us back', () => {
    expect(() => {
      becomeUser(NOBODY, root({ sticky: true }).host);
    }).toThrow(/does not let us drop root/);
  });

  it('refuses a system that does nothing', () => {
    const idle = makeHost({
      identity: {
        current: () => ROOT,
        initGroups: () => undefined,
        setGid: () => undefined,
        setUid: () => undefined,
      },
    });
    expect(() => {
      becomeUser(NOBODY, idle);
    }).toThrow(/does not let us drop root/);
  });

  it('says why it is not permitted', () => {
    expect(() => {
      becomeUser(NOBODY, makeHost());
    }).toThrow(/^--user: cannot become "nobody": EPERM$/);
  });

  it.each([
    [
      {},
      /: this build of Node does not allow it .* systemd .* or setpriv\(1\), or use a Node of another make$/,
    ],
    [{ UV_USE_IO_URING: '0' }, /: this build of Node does not allow it /],
    [{ UV_USE_IO_URING: '1' }, /: Node does not allow it while UV_USE_IO_URING is set; unset it$/],
  ])('knows ways out where Node does not permit it, with %j', (environment, wanted) => {
    const initGroups = (): never => {
      throw Object.assign(new Error('initgroups() disabled: io_uring may be enabled.'), {
        code: 'ERR_INVALID_STATE',
      });
    };
    expect(() => {
      becomeUser(NOBODY, makeHost({ environment, identity: { initGroups } }));
    }).toThrow(wanted);
  });
});
