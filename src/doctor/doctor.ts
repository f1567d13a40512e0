/**
 * `helo-milter doctor`: reads the settings, asks the milter and the name servers, and lets the checks
 * diagnose.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { socketsOf } from '../config/addresses.ts';
import { systemServers } from '../dns/servers.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import { diagnose, type GradedDiagnosis } from '../doctor/checks/index.ts';
import type { Facts } from '../doctor/facts.ts';
import type { Mta } from '../doctor/mta.ts';
import { parsePostconf } from '../doctor/postconf.ts';
import { PostfixConfig } from '../doctor/postfix-config.ts';
import { postfixMta } from '../doctor/postfix.ts';
import { probeMilter } from '../doctor/probe.ts';
import { LOCAL_SERVER, observeServer, questions, type ServerFacts } from '../doctor/resolver.ts';
import { sendmailMta } from '../doctor/sendmail-cf.ts';
import { examineSocket } from '../doctor/socket-file.ts';
import { examineStateFile } from '../doctor/state-file.ts';
import { readAccount } from '../system/accounts.ts';
import type { Config } from '../config/config.ts';
import { describeError, UsageError } from '../errors.ts';

export interface DoctorSettings {
  /** The configuration file that was read, if any. */
  readonly optionsFile: string | null;
  /** A file with the output of postconf, `-` for `input`; null to run postconf. */
  readonly postfix: string | null;
  readonly postfixConfig: string | null;
  readonly sendmail: string | null;
  readonly dns: boolean;
  readonly probe: boolean;
  readonly bogusName: string;
  readonly input: AsyncIterable<Buffer | string> | null;
  /** Hexadecimal digits that nobody has used before. */
  readonly random: () => string;
  readonly progress: (text: string) => void;
  /** Why the store of the farm does not work; null if it does, or there is none. */
  readonly storeAilment: () => Promise<string | null>;
}

const PROBE_MS = 3000;
const SENDMAIL_CF = '/etc/mail/sendmail.cf';
/** Settings whose defaults come from the host. */
const OF_THE_HOST = [
  'mail_version',
  'myhostname',
  'mydomain',
  'mynetworks',
  'inet_interfaces',
  'proxy_interfaces',
];
/** Built-in defaults that differ between builds of one version. */
const BUILT_IN = ['milter_default_action'];

/** Rejects with UsageError for files that are not of the expected kind. */
export async function doctor(config: Config, settings: DoctorSettings): Promise<GradedDiagnosis[]> {
  const { dns, progress } = settings;
  const { mta, mtaFault } = await readMta(settings);
  const listens = socketsOf(config);
  const account = mta === null ? null : await readAccount(mta.user);
  if (settings.probe) progress('asking the milter');
  const facts = {
    options: config,
    optionsFile: settings.optionsFile,
    mta,
    mtaFault,
    socketFiles: await Promise.all(
      listens.flatMap((listen) => (listen.kind === 'unix' ? [examineSocket(listen.path, account)] : [])),
    ),
    regularsFile:
      config.regulars === null || config.regularsFile === null
        ? null
        : await examineStateFile(
            config.regularsFile,
            config.user === null ? null : await readAccount(config.user),
          ),
    storeAilment: await settings.storeAilment(),
    probes: settings.probe
      ? (
          await Promise.all(listens.map((listen) => probeMilter(listen, PROBE_MS, () => performance.now())))
        ).filter((each) => each !== null)
      : [],
    ...(dns && config.dnsZone === null ? await observe(config, settings) : { servers: null }),
  };
  return diagnose(facts);
}

/**
 * The servers in use and, apart from them, the resolver on this host, which may be there without being used.
 */
async function observe(
  { dnsServer, dnsTimeout }: Config,
  { bogusName, random, progress }: DoctorSettings,
): Promise<Pick<Facts, 'servers' | 'local'>> {
  const servers = dnsServer.length > 0 ? dnsServer : systemServers();
  progress(`asking ${servers.join(', ')}`);
  const ask = async (server: string): Promise<ServerFacts> => {
    const now = (): number => performance.now();
    const resolver = createStubResolver({ servers: [server], timeoutMs: dnsTimeout, now });
    return observeServer(server, resolver, questions(random, bogusName), now);
  };
  const [local, ...asked] = await Promise.all([
    servers.some((server) => server.replace(/:53$/, '') === LOCAL_SERVER) ? null : ask(LOCAL_SERVER),
    ...servers.map(async (server) => {
      const facts = await ask(server);
      progress(`${server} ${facts.fault ?? 'answers'}`);
      return facts;
    }),
  ]);
  return { servers: asked, local };
}

/** The MTA that is named, else the one on this host; there may be none, or one without a configuration. */
async function readMta(settings: DoctorSettings): Promise<Pick<Facts, 'mta' | 'mtaFault'>> {
  const { postfix, postfixConfig, sendmail } = settings;
  if (postfix !== null || postfixConfig !== null || sendmail !== null) {
    return { mta: await readNamedMta(settings) };
  }
  settings.progress('asking postconf');
  let mtaFault: string | undefined;
  try {
    const fromHost = await postconf(null);
    if (fromHost !== null) return { mta: postfixMta(fromHost) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    mtaFault = error.message;
  }
  if (!existsSync(SENDMAIL_CF)) return { mta: null, mtaFault };
  return { mta: sendmailMta(await readText('sendmail.cf', SENDMAIL_CF), SENDMAIL_CF, namesFile) };
}

async function readNamedMta({
  postfix,
  postfixConfig,
  sendmail,
  input,
  progress,
}: DoctorSettings): Promise<Mta> {
  if (sendmail !== null) {
    if (postfix !== null || postfixConfig !== null)
      throw new UsageError('give --postfix or --sendmail, not both');
    return sendmailMta(await readText('--sendmail', sendmail), sendmail, namesFile);
  }
  if (postfix !== null) {
    if (postfixConfig !== null) throw new UsageError('give --postfix or --postfix-config, not both');
    const text = postfix === '-' ? await readAll(input) : await readText('--postfix', postfix);
    return postfixMta(new PostfixConfig(parsePostconf(text, postfix)));
  }
  progress('asking postconf');
  const fromHost = await postconf(postfixConfig);
  if (fromHost === null) throw new UsageError('--postfix-config: there is no postconf on this host');
  return postfixMta(fromHost);
}

function namesFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

async function readText(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${what}: ${describeError(error)}`);
  }
}

async function readAll(input: AsyncIterable<Buffer | string> | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Null if this host has no postconf. */
async function postconf(directory: string | null): Promise<PostfixConfig | null> {
  const where = directory === null ? [] : ['-c', directory];
  // Not every user has /usr/sbin in the path.
  for (const program of ['postconf', '/usr/sbin/postconf', '/usr/local/sbin/postconf']) {
    const ask = async (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
      promisify(execFile)(program, [...where, ...args], { timeout: 10_000, maxBuffer: 1 << 24 });
    const run = async (...args: string[]): Promise<string> => (await ask(...args)).stdout;
    try {
      const [set, services, effective, builtIn] = await Promise.all([
        ask('-n'),
        run('-M'),
        run(...OF_THE_HOST),
        run('-d', ...BUILT_IN),
      ]);
      return new PostfixConfig(
        parsePostconf(`${set.stdout}\n${set.stderr}\n${services}`, 'postconf'),
        parsePostconf(`${effective}\n${builtIn}`, 'postconf').parameters,
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      throw error instanceof UsageError ? error : new UsageError(`postconf: ${firstLine(error)}`);
    }
  }
  return null;
}

function firstLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  return (stderr === undefined || stderr === '' ? describeError(error) : stderr).trim().split('\n')[0] ?? '';
}
