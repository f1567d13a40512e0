/**
 * A Host for tests: an ordinary user on a supported Node, without systemd. Nothing it does reaches the
 * process.
 */
import type { Host, ProcessIdentity } from '../../src/system/host.ts';

export function makeHost({
  identity,
  ...more
}: Partial<Omit<Host, 'identity'>> & { identity?: Partial<ProcessIdentity> } = {}): Host {
  return {
    pid: 4711,
    node: { version: 'v26.0.0', ofDistribution: false },
    systemName: () => '',
    openFiles: () => Infinity,
    script: '/usr/bin/helo-milter',
    environment: {},
    monotonic: () => 5_000_000n,
    isAlive: () => false,
    ...more,
    identity: {
      current: () => ({ uid: 1000, euid: 1000, gid: 1000, egid: 1000, groups: [1000] }),
      setGroups: forbidden,
      initGroups: forbidden,
      setGid: forbidden,
      setUid: forbidden,
      ...identity,
    },
  };
}

function forbidden(): never {
  throw new Error('EPERM');
}
