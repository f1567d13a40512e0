/** How the server of the store is reached. The only file that makes clients of the library. */
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { AbstractConnector, Redis } from 'ioredis';
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
  const open = ({ host, port }: HostPort): Socket =>
    tls ? connectSecurely({ ...secure, host, port }) : connect({ host, port });
  const client = (find: Find): Redis =>
    new Redis({
      lazyConnect: true,
      protocol: 2 as const,
      // What cannot be sent at once is not wanted.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => null,
      connectTimeout: connectMs,
      // Both need rights that we do not.
      enableReadyCheck: false,
      disableClientInfo: true,
      Connector: connector(find),
      // The library wants to know of TLS, to wait for it.
      ...(tls ? { tls: secure } : {}),
    });
  switch (place.kind) {
    case 'unix':
      return client(() => connect({ path: place.path }));
    case 'tcp':
      return client(() => open(place));
    case 'sentinel':
      return client(async () => {
        const asked = place.sentinels.map((each) =>
          serverBySentinel(
            client(() => open(each)),
            place.name,
            connectMs,
          ),
        );
        return open(await firstOf(asked));
      });
  }
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Opens a connection to the server, wherever it is now. */
type Find = () => Socket | Promise<Socket>;

/** Milliseconds that the server has to end the connection when we do. */
const DISCONNECT_MS = 2000;

/** Connects for the library, with a guard. */
function connector(find: Find): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    override connect(): Promise<Socket> {
      this.connecting = true;
      const found = find();
      // At once if it can be: an error may come before anybody else listens.
      return found instanceof Promise
        ? found.then((each) => this.#take(each))
        : Promise.resolve(this.#take(found));
    }

    #take(found: Socket): Socket {
      const stream = guarded(found);
      stream.once('error', (error) => (this.firstError = error));
      if (!this.connecting) {
        stream.destroy();
        throw new Error('the connection was closed');
      }
      this.stream = stream;
      return stream;
    }
  };
}

/**
 * Where a Sentinel says that the server is. Not left to the library, which does not bound its answers. One
 * that is silent is left after `ms`: whoever asked may have gone on without it, and would ask again.
 */
async function serverBySentinel(client: Redis, name: string, ms: number): Promise<HostPort> {
  let known: unknown = null;
  client.on('error', (error: unknown) => (known = error));
  const patience = setTimeout(() => {
    known = new Error(`no answer within ${ms} ms`);
    client.disconnect();
  }, ms);
  try {
    await client.connect();
    const told: unknown = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
    const [host, port] = Array.isArray(told) ? (told as unknown[]) : [];
    if (typeof host !== 'string' || !/^\d{1,5}$/.test(String(port)) || Number(port) > 65_535) {
      throw new Error(`the Sentinel knows no server of the name ${name}`);
    }
    return { host, port: Number(port) };
  } catch (error) {
    // The library says only that the connection is closed where it knows more.
    throw known ?? error;
  } finally {
    clearTimeout(patience);
    client.disconnect();
  }
}

/** All are asked at the same time: one that is dead takes as long to say so as we have in all. */
async function firstOf(asked: readonly Promise<HostPort>[]): Promise<HostPort> {
  try {
    return await Promise.any(asked);
  } catch (error) {
    const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    throw first;
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
