/** How the server of the store is reached. The only file that makes clients of the library. */
import { Redis } from 'ioredis';

/** A server, or the Sentinels that know it. */
export type StorePlace =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      /** Of the master. */
      readonly name: string;
    };

export interface StoreAccess {
  readonly place: StorePlace;
  readonly tls: boolean;
  /** Certificates that are trusted in place of those that Node knows, as PEM. */
  readonly ca: string | null;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: number;
}

/** A client that is not connected yet, and connects only when told to. */
export function dial({ place, tls, ca }: StoreAccess, connectMs: number): Redis {
  const secure = ca === null ? {} : { ca };
  const options = {
    lazyConnect: true,
    protocol: 2 as const,
    // What cannot be sent at once is not wanted.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    connectTimeout: connectMs,
    // Both need rights that we do not.
    enableReadyCheck: false,
    disableClientInfo: true,
  };
  switch (place.kind) {
    case 'unix':
      return new Redis({ ...options, path: place.path });
    case 'tcp': {
      const { host, port } = place;
      return new Redis({ ...options, host, port, ...(tls ? { tls: secure } : {}) });
    }
    case 'sentinel': {
      const { sentinels, name } = place;
      const encrypted = tls ? { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true } : {};
      return new Redis({ ...options, sentinels: sentinels.map((each) => ({ ...each })), name, ...encrypted });
    }
  }
}

/**
 * Logs in and chooses the database. Not left to the library, which warns on the console of what a server
 * thinks of a password.
 */
export function enter(client: Redis, { user, password, database }: StoreAccess): Promise<unknown>[] {
  const steps: Promise<unknown>[] = [];
  if (password !== null) {
    steps.push(user === null ? client.auth(password) : client.auth(user, password));
  }
  if (database !== 0) steps.push(client.select(database));
  return steps;
}
