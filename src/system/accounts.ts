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

/** From the system's files, else from wherever else it has accounts (nsswitch.conf), by way of getent(1). */
async function entry(database: 'passwd' | 'group', key: string): Promise<string[] | null> {
  const file = await readFile(`/etc/${database}`, 'utf8').catch(() => '');
  const found = file
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name, , id]) => name === key || id === key);
  if (found !== undefined) return found;
  try {
    const { stdout } = await promisify(execFile)('getent', [database, '--', key], { timeout: 5000 });
    return stdout.trimEnd().split(':');
  } catch {
    return null;
  }
}
