/**
 * A mail host for faults: Postfix and Sendmail with the milter between a network and a name server that can
 * be broken, a decision log on a small disk, a store, and somebody who starts again what has ended, as
 * systemd does.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Between, dnsBetween, passOn } from './between.ts';
import type { Mta } from './mta.ts';
import { startNsd } from './nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './postfix.ts';
import { type Program, startProgram } from './program.ts';
import { type Redis, startRedis } from './redis.ts';
import { shippedFilter, startSendmail } from './sendmail.ts';
import { freePort, freePorts, makeWorkdir, removeWorkdir } from './workdir.ts';
import { ZONES } from './zones.ts';

const CLOCK = fileURLToPath(new URL('../../fixtures/step-clock.mjs', import.meta.url));

export interface FaultWorld {
  readonly workdir: string;
  readonly postfix: Postfix;
  readonly mtas: readonly Mta[];
  readonly dns: Awaited<ReturnType<typeof dnsBetween>>;
  readonly network: Between;
  readonly http: string;
  readonly config: string;
  readonly redis: Redis;
  /** The running process. */
  readonly program: () => Program;
  /** How often it has been started. */
  readonly starts: () => number;
  /** Ends it in this way and starts it again, with these settings of Node. */
  readonly restart: (signal: NodeJS.Signals, nodeOptions?: string) => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** The directory of the decision log, as the program sees it: a disk of 1 MB. */
  readonly disk: () => string;
  /** Waits until it says over HTTP that it serves. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const MAIN_CF = '\nsmtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}\n';

export const CONFIG = `
deadline = "3s"
cache-min = "0s"
cache-max = "1s"
churn-limit = 1000
`;

export async function makeFaultWorld(): Promise<FaultWorld> {
  const workdir = makeWorkdir();
  const nsd = await startNsd(workdir, ZONES);
  const dns = await dnsBetween(nsd.server);
  const [port = 0, httpPort = 0, storePort = 0] = await freePorts(3);
  const http = `127.0.0.1:${httpPort}`;
  const redis = await startRedis(workdir, storePort);
  const config = join(workdir, 'helo-milter.toml');
  writeFileSync(config, CONFIG);
  const log = join(workdir, 'disk');
  const words = [
    ...['--listen', `inet:127.0.0.1:${port}`, '--grace', '1s', '--config', config, '--http', http],
    ...['--dns-server', dns.server, '--store', `redis://127.0.0.1:${storePort}`],
    ...['--decision-log', join(log, 'decisions')],
  ];
  const mount = `mkdir -p ${log} && mount -t tmpfs -o size=1m,mode=755 tmpfs ${log} && exec "$@"`;
  let [starts, wanted] = [0, true];
  const start = async (nodeOptions = ''): Promise<Program> => {
    for (let tries = 0; ; tries++) {
      try {
        starts++;
        const made = await startProgram(words, {
          wrapper: ['unshare', '--mount', 'sh', '-c', mount, 'sh'],
          environment: { NODE_OPTIONS: `--import=${CLOCK} ${nodeOptions}` },
        });
        made.child.once('exit', () => {
          if (wanted && made === program) again = restart('SIGKILL');
        });
        return made;
      } catch (error) {
        // The port may still be taken for a moment.
        if (tries > 20) throw error;
        await sleep(100);
      }
    }
  };
  let again: Promise<void> = Promise.resolve();
  let program: Program = await start();
  const restart = async (signal: NodeJS.Signals, nodeOptions = ''): Promise<void> => {
    const before = program;
    wanted = false;
    await before.stop(signal);
    program = await start(nodeOptions);
    wanted = true;
  };
  const network = await passOn(port);
  const socket = `inet:127.0.0.1:${network.port}`;
  const postfix = await startPostfix(workdir, {
    mainCf: `${shippedMainCf(socket)}${MAIN_CF}`,
    milters: [null],
  });
  const sendmail = await startSendmail(workdir, {
    milters: [shippedFilter(`inet:${network.port}@127.0.0.1`)],
  });
  return {
    ...{ workdir, postfix, mtas: [postfix, sendmail], dns, network, http, config, redis, restart },
    program: () => program,
    starts: () => starts,
    signal: (signal) => void program.child.kill(signal),
    disk: () => `/proc/${program.child.pid ?? 0}/root${log}`,
    ready: async () => {
      for (let i = 0; i < 300; i++) {
        await again;
        const answer = await fetch(`http://${http}/healthz`, { signal: AbortSignal.timeout(1000) }).catch(
          () => null,
        );
        if (answer?.ok === true) return;
        await sleep(100);
      }
      throw new Error(`it does not serve: ${(await program.output()).slice(-2000)}`);
    },
    stop: async () => {
      wanted = false;
      await again;
      for (const mta of [postfix, sendmail]) await mta.stop();
      network.stop();
      await program.stop('SIGKILL');
      dns.stop();
      await redis.stop();
      await nsd.stop();
      removeWorkdir(workdir);
    },
  };
}

/** How many descriptors a process has open. */
export function openFiles(pid: number): number {
  const directory = `/proc/${pid}/fd`;
  return existsSync(directory) ? readdirSync(directory).length : 0;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** HAProxy before some milters: each with a check, so that one that is dead gets no more connections. */
export async function haproxyConfig(
  workdir: string,
  ports: readonly number[],
): Promise<{ file: string; port: number }> {
  const port = await freePort();
  const file = join(workdir, 'haproxy.cfg');
  const servers = ports.map((each, i) => `  server mx${i} 127.0.0.1:${each} check inter 200ms fall 1 rise 1`);
  writeFileSync(
    file,
    [
      'defaults',
      '  mode tcp',
      '  timeout connect 2s',
      '  timeout client 1m',
      '  timeout server 1m',
      '  option redispatch 1',
      '  retries 3',
      'listen milters',
      `  bind 127.0.0.1:${port}`,
      '  balance leastconn',
      ...servers,
      '',
    ].join('\n'),
  );
  return { file, port };
}
