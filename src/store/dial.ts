/** How the server of the store is reached. The only file that makes clients of the library. */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { AbstractConnector, Redis, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';
import type { StoreAddress } from '../config/store-address.ts';
import { guarded } from './reply-guard.ts';

export interface StoreAccess {
  readonly place: StoreAddress['place'];
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
    case 'unix': {
      const { path } = place;
      return new Redis({ ...options, path, Connector: direct(() => connect({ path })) });
    }
    case 'tcp': {
      const { host, port } = place;
      const open = (): Socket => (tls ? connectSecurely({ ...secure, host, port }) : connect({ host, port }));
      // The library wants to know of TLS, to wait for it.
      return new Redis({ ...options, host, port, Connector: direct(open), ...(tls ? { tls: secure } : {}) });
    }
    case 'sentinel': {
      const { sentinels, name } = place;
      const encrypted = tls ? { tls: secure, sentinelTLS: secure, enableTLSForSentinelMode: true } : {};
      const Connector = GuardedSentinelConnector;
      return new Redis({
        ...options,
        sentinels: sentinels.map((each) => ({ ...each })),
        name,
        Connector,
        ...encrypted,
      });
    }
  }
}

/** Milliseconds that the server has to end the connection when we do. */
const DISCONNECT_MS = 2000;

/** As the library connects, with a guard. */
function direct(open: () => Socket): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    override connect(): Promise<Socket> {
      this.connecting = true;
      const stream = guarded(open());
      stream.once('error', (error) => (this.firstError = error));
      this.stream = stream;
      return Promise.resolve(stream);
    }
  };
}

/** Guards the server; the Sentinels are asked by the library alone. */
class GuardedSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override async connect(...args: Parameters<SentinelConnector['connect']>): Promise<Socket> {
    return guarded(await super.connect(...args));
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
