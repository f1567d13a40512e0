/** Users and groups of the system by name or number. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { UsageError } from '../errors.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  /** Its own group. */
  readonly gid: number;
}

/** The ids by which the kernel decides when a user opens a file. */
export interface Account {
  readonly uid: number;
  /** Its own group first, then those that it is a member of. */
  readonly gids: readonly number[];
}

/** The highest id on Linux, except the one that means "leave it as it is". */
const MAX_ID = 0xffff_fffe;

/** A user by name or number. Throws UsageError. */
export async function findUser(text: string): Promise<User> {
  const [name = '', , uid = '', gid = ''] = (await entry('passwd', text)) ?? [];
  if (name === '') throw new UsageError(`there is no user "${text}"`);
  return { name, uid: Number(uid), gid: Number(gid) };
}

/** The id of a group by name or by number; a number need not be in any list. Throws UsageError. */
export async function findGroup(text: string): Promise<number> {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MAX_ID) return Number(text);
  const [, , gid] = (await entry('group', text)) ?? [];
  if (gid === undefined) throw new UsageError(`there is no group "${text}"`);
  return Number(gid);
}

/** What a user of this machine may do, by name; null if there is no such user. */
export async function readAccount(name: string): Promise<Account | null> {
  const user = await entry('passwd', name);
  return user === null ? null : accountOf(name, user, await databaseText('group'));
}

/** An account from its line of passwd(5) and the text of group(5). */
export function accountOf(name: string, [, , uid, gid]: readonly string[], group: string): Account {
  const memberOf = linesOf(group).filter(([, , , members]) => members?.split(',').includes(name));
  return { uid: Number(uid), gids: [Number(gid), ...memberOf.map(([, , id]) => Number(id))] };
}

/** From the system's files, else from wherever else it has accounts (nsswitch.conf), by way of getent(1). */
async function entry(database: 'passwd' | 'group', key: string): Promise<string[] | null> {
  const found = linesOf(await databaseText(database)).find(([name, , id]) => name === key || id === key);
  if (found !== undefined) return found;
  try {
    const { stdout } = await promisify(execFile)('getent', [database, '--', key], { timeout: 5000 });
    return stdout.trimEnd().split(':');
  } catch {
    return null;
  }
}

/** Empty if the file cannot be read. */
function databaseText(database: 'passwd' | 'group'): Promise<string> {
  return readFile(`/etc/${database}`, 'utf8').catch(() => '');
}

/** The lines of passwd(5) or group(5), each in its fields. */
function linesOf(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}
