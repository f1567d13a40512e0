/** Where the shared store is, as the operator writes it, and what is shared over it. */
import { UsageError } from '../errors.ts';

/** A value of `--store`. */
export interface StoreAddress {
  /** A server, or the Sentinels that know it and the name under which they do. */
  readonly place:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string }
    | {
        readonly kind: 'sentinel';
        readonly sentinels: readonly { readonly host: string; readonly port: number }[];
        readonly name: string;
      };
  readonly tls: boolean;
  readonly user: string | null;
  readonly database: number;
  /** As it was written: it has no secret in it. */
  readonly text: string;
}

export const SHARED = ['budgets', 'ramps', 'streams', 'churn', 'regulars', 'assessments'] as const;

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;
const FORM =
  'not a store such as redis://HOST:6379, rediss://USER@HOST, unix:/PATH, unix://USER@/PATH or redis+sentinel://HOST,HOST/NAME';

/** Throws UsageError, which does not repeat a text that may have a password in it. */
export function storeAddress(text: string): StoreAddress {
  const unix = unixAddress(text);
  if (unix !== null) return unix;
  const parts = /^(redis|rediss)(\+sentinel)?:\/\/(?:([^/@]*)@)?([^/@?#]+)((?:\/[^/?#]*)*)$/.exec(text);
  if (parts === null) throw new UsageError(text.includes('@') ? `this is ${FORM}` : `"${text}" is ${FORM}`);
  const [, scheme, sentinel, login, hosts = '', rest = ''] = parts;
  const segments = rest.split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  const whole = { tls: scheme === 'rediss', user: userOf(login), text };
  if (sentinel === undefined) {
    const [database = '0', ...more] = segments;
    const host = hostOf(hosts, REDIS_PORT);
    if (host === null || more.length > 0) throw new UsageError(`"${text}" is ${FORM}`);
    return { ...whole, place: { kind: 'tcp', ...host }, database: databaseOf(database) };
  }
  const sentinels = hosts.split(',').map((each) => hostOf(each, SENTINEL_PORT));
  const [name = '', database = '0', ...more] = segments;
  const known = sentinels.filter((each) => each !== null);
  if (name === '' || more.length > 0 || known.length < sentinels.length) {
    throw new UsageError(`"${text}" is ${FORM}`);
  }
  return { ...whole, place: { kind: 'sentinel', sentinels: known, name }, database: databaseOf(database) };
}

/** Throws UsageError. */
export function storePrefix(text: string): string {
  if (!/^[\w.:-]{1,40}$/.test(text)) {
    throw new UsageError(`"${text}" is not 1 to 40 letters, digits, dots, colons, hyphens or underscores`);
  }
  return text;
}

/** Throws UsageError. */
export function sharedWords(text: string): readonly (typeof SHARED)[number][] {
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => !(SHARED as readonly string[]).includes(word));
  if (unknown !== undefined) throw new UsageError(`"${unknown}" is none of ${SHARED.join(', ')}`);
  return SHARED.filter((word) => words.includes(word));
}

/** A socket, with or without a user and a database, as the client of Python has it; null if it is none. */
function unixAddress(text: string): StoreAddress | null {
  const parts = /^unix:(?:\/\/(?:([^/@?#]*)@)?)?(\/(?!\/)[^?#\0]+)(?:\?db=([^&]*))?$/.exec(text);
  if (parts === null) return null;
  const [, login, path = '', database = '0'] = parts;
  const place = { kind: 'unix', path } as const;
  return { place, tls: false, user: userOf(login), database: databaseOf(database), text };
}

function userOf(login: string | undefined): string | null {
  if (login === undefined || login === '') return null;
  if (login.includes(':')) {
    throw new UsageError('a password does not belong here, where others can see it: use store-password-file');
  }
  try {
    return decodeURIComponent(login);
  } catch {
    throw new UsageError('the user of the store has a % that encodes nothing');
  }
}

function hostOf(text: string, otherwise: number): { host: string; port: number } | null {
  const [, six, name, digits] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = six ?? name;
  const port = digits === undefined ? otherwise : Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

function databaseOf(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UsageError(`"${text}" is not the number of a database`);
  return Number(text);
}
