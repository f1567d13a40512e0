/** Faults, each with the command by which an operator could cause it, and how it is caused here. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MilterClient } from '../../../src/milter/index.ts';
import { quietly } from '../../support/quietly.ts';
import type { DnsMood } from './between.ts';
import { CONFIG, type FaultWorld, openFiles, sleep } from './fault-world.ts';
import { askMilter } from './milter-client.ts';
import { withSystemPath } from './nsd.ts';

const run = promisify(execFile);

export interface Fault {
  readonly title: string;
  readonly command: string;
  /** Causes it, lets it last for so many milliseconds, and ends it. */
  readonly cause: (world: FaultWorld, ms: number) => Promise<void>;
}

/** DNS in another mood for a while. */
const dns = (mood: DnsMood, title: string, command: string): Fault => ({
  title,
  command,
  cause: async (world, ms) => {
    world.dns.mood = mood;
    await sleep(ms);
    world.dns.mood = 'sound';
  },
});

const prlimit = (world: FaultWorld, files: string): Promise<unknown> =>
  run('prlimit', ['--pid', String(world.program().child.pid), `--nofile=${files}`]);

/** More than the pipe of the log takes with nobody at its other end: what follows waits in the process. */
const PIPE_BYTES = 300_000;

/** Writes a third of that and more into the log: each message makes a line, of the longest values. */
async function fillLog(socket: string): Promise<void> {
  const client = await MilterClient.open(socket, { protocol: 0 });
  await client.connect('203.0.113.50');
  await client.helo(`x ${'y'.repeat(200)}`);
  for (let i = 0; i < 100; i++) {
    await client.mail(`${'s'.repeat(200)}@x`);
    await client.rcpt(`${'r'.repeat(200)}@y`);
  }
  client.quit();
}

export const FAULTS: readonly Fault[] = [
  {
    title: 'killed, and started again',
    command: 'kill -KILL $MAINPID',
    cause: async ({ restart }) => restart('SIGKILL'),
  },
  {
    title: 'stopped and started, with sessions open',
    command: 'systemctl restart helo-milter.service',
    cause: async ({ restart }) => restart('SIGTERM'),
  },
  {
    title: 'a storm of restarts',
    command: 'for i in 1 2 3 4 5; do kill -KILL $MAINPID; sleep 1; done',
    cause: async ({ restart }) => {
      for (let i = 0; i < 5; i++) await restart(i % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    },
  },
  {
    title: 'held, and let go on',
    command: 'kill -STOP $MAINPID; sleep 3; kill -CONT $MAINPID',
    cause: async ({ signal }, ms) => {
      signal('SIGSTOP');
      await sleep(ms);
      signal('SIGCONT');
    },
  },
  {
    title: 'a storm of reloads, every second one with a broken file',
    command: 'while sleep 0.05; do …; systemctl kill -s HUP helo-milter.service; done',
    cause: async ({ signal, config }, ms) => {
      for (let i = 0; i < ms / 50; i++) {
        writeFileSync(config, i % 2 === 0 ? `${CONFIG}\nreject-at = "many` : CONFIG);
        signal('SIGHUP');
        await sleep(50);
      }
      writeFileSync(config, CONFIG);
      signal('SIGHUP');
    },
  },
  {
    title: 'the disk of the decision log is full',
    command: 'fallocate -l 100G /var/log/helo-milter/ballast',
    cause: async ({ disk, signal }, ms) => {
      const ballast = join(disk(), 'ballast');
      try {
        writeFileSync(ballast, Buffer.alloc(2 << 20));
      } catch {
        // As much of it as there was room for.
      }
      await sleep(ms);
      rmSync(ballast, { force: true });
      rmSync(join(disk(), 'decisions'), { force: true });
      signal('SIGUSR1');
    },
  },
  {
    title: 'no descriptors are left',
    command: 'prlimit --pid $MAINPID --nofile=25:',
    cause: async (world, ms) => {
      const pid = world.program().child.pid ?? 0;
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
      const before = /^Max open files +(\d+)/m.exec(limits)?.[1] ?? '1024';
      await prlimit(world, `${openFiles(pid) - 2}:`);
      await sleep(ms);
      await prlimit(world, `${before}:`);
    },
  },
  {
    title: 'the clock steps a day forward, two back, and one forward',
    command: 'date -s tomorrow; …',
    cause: async ({ signal }, ms) => {
      for (let i = 0; i < 3; i++) {
        signal('SIGWINCH');
        await sleep(ms / 3);
      }
    },
  },
  {
    title: 'a heap of 32 MB, and 500 strangers with a name each',
    command: 'NODE_OPTIONS=--max-old-space-size=32',
    cause: async ({ restart, network }) => {
      await restart('SIGTERM', '--max-old-space-size=32');
      const socket = `inet:127.0.0.1:${network.port}`;
      let next = 0;
      const stranger = async (): Promise<void> => {
        for (let i = next++; i < 500; i = next++)
          await askMilter(socket, `h${i}.sender.org`, `192.0.2.${i & 255}`).catch(() => '');
      };
      await Promise.all(Array.from({ length: 20 }, stranger));
      await restart('SIGTERM');
    },
  },
  dns('silent', 'DNS says nothing', 'iptables -I OUTPUT -p udp --dport 53 -j DROP'),
  dns('slow', 'DNS takes 1.5 s for each answer', 'tc qdisc add dev eth0 root netem delay 1500ms'),
  dns('failing', 'DNS answers SERVFAIL to everything', 'unbound-control forward_add . 127.0.0.1@9'),
  dns('lying', 'DNS denies everything', 'unbound-control local_zone . always_nxdomain'),
  dns(
    'hostile',
    'DNS answers with random octets',
    `node -e 's=dgram.createSocket("udp4",(m,r)=>s.send([m.slice(0,2),Buffer.of(129,128),crypto.randomBytes(200)],r.port,r.address)).bind(53)'`,
  ),
  {
    title: 'whoever reads the log is gone',
    command: 'helo-milter | head -1',
    cause: async (world, ms) => {
      world.program().child.stdout?.destroy();
      world.program().child.stderr?.destroy();
      await sleep(ms);
      await world.restart('SIGTERM');
    },
  },
  {
    title: 'whoever reads the log is stuck',
    command: 'helo-milter | sleep inf',
    cause: async ({ program, network, disk, signal }, ms) => {
      const stuck = program();
      const before = (await stuck.output()).length;
      stuck.child.stdout?.pause();
      const socket = `inet:127.0.0.1:${network.port}`;
      await Promise.all([fillLog(socket), fillLog(socket), fillLog(socket)]);
      await sleep(ms);
      stuck.child.stdout?.resume();
      let held = 0;
      for (let i = 0; i < 100 && held < PIPE_BYTES; i++) held = (await stuck.output()).length - before;
      if (held < PIPE_BYTES)
        throw new Error(`the log had no more than ${held} octets to wait for its reader`);
      rmSync(join(disk(), 'decisions'), { force: true });
      signal('SIGUSR1');
    },
  },
  {
    title: 'HTTP abused: 300 connections that are half sent, and /metrics all the time',
    command: 'slowhttptest -c 300 …; ab -c 20 http://…/metrics',
    cause: async ({ http }, ms) => {
      const [host = '', port = ''] = http.split(':');
      const half: Socket[] = Array.from({ length: 300 }, () => {
        const socket = quietly(connect(Number(port), host));
        socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX: ');
        return socket;
      });
      const ends = Date.now() + ms;
      const ask = async (): Promise<void> => {
        while (Date.now() < ends) {
          const got = await fetch(`http://${http}/metrics`, { signal: AbortSignal.timeout(1000) }).catch(
            () => null,
          );
          await got?.text().catch(() => '');
          await sleep(5);
        }
      };
      await Promise.all([ask(), ask(), ask(), ask()]);
      for (const socket of half) socket.destroy();
    },
  },
  {
    title: 'the store hangs',
    command: 'kill -STOP $(pidof redis-server)',
    cause: async ({ redis }, ms) => {
      redis.signal('SIGSTOP');
      await sleep(ms);
      redis.signal('SIGCONT');
    },
  },
  {
    title: 'the store is full, and then emptied',
    command: 'redis-cli config set maxmemory 1; redis-cli flushall',
    cause: async ({ redis }, ms) => {
      await redis.say('config', 'set', 'maxmemory', '1');
      await sleep(ms);
      await redis.say('config', 'set', 'maxmemory', '0');
      await redis.say('flushall');
    },
  },
  {
    title: 'Postfix reloads, stops and starts',
    command: 'postfix reload; postfix stop; postfix start',
    cause: async ({ postfix }, ms) => {
      const say = (word: string): Promise<unknown> =>
        run('postfix', ['-c', postfix.etc, word], { env: withSystemPath() });
      await say('reload');
      await sleep(ms / 2);
      await say('stop');
      await say('start');
    },
  },
  {
    title: 'connections between MTA and milter are reset, all of them, ten times a second',
    command: 'ss -K dport = 8892',
    cause: async ({ network }, ms) => {
      for (let i = 0; i < ms / 100; i++) {
        network.reset();
        await sleep(100);
      }
    },
  },
];
