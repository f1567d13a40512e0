/** The store of the farm as a Config names it. Its library is loaded only if there is one. */
import type { Config } from '../config/config.ts';
import { OptionError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { StoreAccess } from '../store/dial.ts';
import type { RedisStore } from '../store/redis-store.ts';
import { namedFile } from '../system/named-file.ts';

type StoreConfig = Pick<Config, 'store' | 'storePasswordFile' | 'storeCa' | 'storePrefix' | 'storeTimeout'>;

/** Reads what it takes to get in; null if no store is named. Rejects with UsageError. */
async function readStoreAccess({
  store,
  storePasswordFile,
  storeCa,
}: StoreConfig): Promise<StoreAccess | null> {
  if (store === null) return null;
  const { place, tls, user, database } = store;
  if (user !== null && storePasswordFile === null) {
    // Who does not log in is the server's default user, whose rights are nearly always all that there are.
    throw new OptionError(
      '--store',
      `the user ${user} logs in with a password: name it by store-password-file`,
    );
  }
  const [first = ''] =
    storePasswordFile === null
      ? []
      : (await namedFile('--store-password-file', storePasswordFile)).split(/\r?\n/);
  if (storePasswordFile !== null && first === '') {
    throw new OptionError('--store-password-file', `the first line of ${storePasswordFile} is empty`);
  }
  const ca = storeCa === null ? null : await namedFile('--store-ca', storeCa);
  if (ca !== null && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new OptionError('--store-ca', `there is no certificate in ${storeCa ?? ''}`);
  }
  return { place, tls, ca, user, password: storePasswordFile === null ? null : first, database };
}

/** Not connected yet. Rejects with UsageError for a file that it cannot read. */
export async function openStore(
  config: StoreConfig,
  { log, now }: { readonly log: Log; readonly now: () => number },
): Promise<RedisStore | null> {
  const { store: address, storePrefix: prefix, storeTimeout: timeoutMs } = config;
  const access = await readStoreAccess(config);
  if (access === null || address === null) return null;
  const { RedisStore: Store } = await import('../store/redis-store.ts');
  const store = address.text;
  const onChange = (up: boolean, detail: string, ms: number): void => {
    if (up) log.tell('store-recovered', { store, detail, seconds: Math.round(ms / 1000) });
    else log.tell('store-outage', { store, detail, effect: ALONE });
  };
  return new Store({ access, prefix, timeoutMs, now, onChange });
}

/** Whether the store that a Config names works from here; null where it does, or none is named. */
export async function storeAilment(config: StoreConfig): Promise<string | null> {
  const access = await readStoreAccess(config);
  if (access === null) return null;
  const { probeStore } = await import('../store/redis-store.ts');
  return probeStore(access, config.storePrefix);
}

const ALONE = 'each host goes on with what it knows itself; mail is not held up';
