/**
 * Crowds of strangers at the socket of a running milter, and what is left for others: its memory, and how
 * long a session of another sender takes meanwhile. Build first; it takes some minutes:
 *
 *     npm run build && npx tsc -p bench && node .bench/js/bench/crowds.js [SESSIONS]
 *
 * SESSIONS is how many each of the crowds has that come and go, 100,000 by default. Ends with 1 if anybody
 * else was not let in.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MilterClient } from '../src/milter/index.ts';
import { NODE_FLAGS } from '../test/mta/kit/node-flags.ts';
import { CLI } from './server.ts';

const SESSIONS = Number(process.argv[2] ?? 100_000);
const OPEN = 10_000;
/** Sessions at a time of a crowd that comes and goes. */
const AT_ONCE = 50;
/** Milliseconds between two sessions of others. */
const PACE_MS = 20;
const HELD_MS = 10_000;
const MIB = 1024;

const directory = mkdtempSync(join(tmpdir(), 'crowds-'));
const socket = `unix:${join(directory, 's')}`;
const zone = join(directory, 'zone');
writeFileSync(zone, '$ORIGIN sender.org.\nmail A 198.51.100.7\n7.100.51.198.in-addr.arpa. PTR mail\n');

async function session(ip: string, helo: string): Promise<unknown> {
  const client = await MilterClient.open(socket, { protocol: 0, timeoutMs: 60_000 });
  try {
    let reply = await client.connect(ip);
    // Whatever is accepted or refused is not asked about again.
    if (reply === 'continue') reply = await client.helo(helo);
    if (reply === 'continue') reply = await client.mail('a@sender.org');
    if (reply === 'continue') reply = await client.rcpt('b@dest.test');
    return reply;
  } finally {
    client.quit();
  }
}

/** They come one after the other until told not to; then how long they took, and how many were not let in. */
function others(): () => Promise<{ readonly p99: number; readonly count: number; readonly wrong: number }> {
  const state = { over: false, wrong: 0 };
  const times: number[] = [];
  const coming = (async () => {
    while (!state.over) {
      const began = performance.now();
      const told = await session('198.51.100.7', 'mail.sender.org').catch(() => null);
      times.push(performance.now() - began);
      if (told !== 'continue' && told !== 'accept') state.wrong++;
      await sleep(PACE_MS);
    }
  })();
  return async () => {
    state.over = true;
    await coming;
    times.sort((a, b) => a - b);
    return { p99: times[Math.floor(times.length * 0.99)] ?? 0, count: times.length, wrong: state.wrong };
  };
}

type Crowd = (i: number) => readonly [ip: string, helo: string];
const hex = (number: number): string => number.toString(16);
const COMING: Readonly<Record<string, Crowd>> = {
  'client addresses, with a name each': (i) => [
    `${60 + ((i >> 16) & 63)}.${(i >> 8) & 255}.${i & 255}.9`,
    `v${i}.sender.org`,
  ],
  'names of one address': (i) => ['203.0.113.9', `v${i}.sender.org`],
  'names, each from a /64 of its own in one /32': (i) => [
    `2001:db8:${hex(i >> 16)}:${hex(i & 0xffff)}::1`,
    `v${i}.sender.org`,
  ],
};

async function comeAndGo(crowd: Crowd): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let i = next++; i < SESSIONS; i = next++) await session(...crowd(i));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** So many connections, each with these octets, that stay for a while. */
async function stay(count: number, octets: Buffer, look: () => void): Promise<void> {
  const all: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const each = connect(socket.slice('unix:'.length));
    each.on('error', () => undefined);
    if (octets.length > 0) each.write(octets);
    all.push(each);
    // No more at a time than the queue of the socket takes.
    if (i % 100 === 0) await sleep(10);
  }
  await sleep(HELD_MS);
  look();
  for (const each of all) each.destroy();
}

/** Clients that have said HELO and nothing since. */
async function idle(count: number, look: () => void): Promise<void> {
  const all: MilterClient[] = [];
  let next = 0;
  const some = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const client = await MilterClient.open(socket, { protocol: 0, timeoutMs: 60_000 });
      await client.connect(`60.${i >> 8}.${i & 255}.9`);
      await client.helo(`v${i}.sender.org`);
      all.push(client);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  await sleep(HELD_MS);
  look();
  for (const each of all) each.close();
}

/** A MAIL of 100,000 octets of which all but the last have come, after the negotiation. */
const HALF_SENT = Buffer.concat([
  Buffer.from('0000000d4f00000006000001ff001fffff', 'hex'),
  Buffer.from([0, 1, 0x86, 0xa0]),
  Buffer.from(`M${'x'.repeat(99_998)}`),
]);

async function measured(what: string, crowd: (look: () => void) => Promise<void>): Promise<string> {
  const program = spawn(process.execPath, [...NODE_FLAGS, CLI, '--listen', socket, '--dns-zone', zone], {
    stdio: 'ignore',
  });
  const pss = (): number =>
    Number(
      /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${program.pid ?? 0}/smaps_rollup`, 'utf8'))?.[1] ?? 0,
    ) / MIB;
  while ((await session('198.51.100.7', 'mail.sender.org').catch(() => null)) === null) await sleep(50);
  const before = pss();
  let most = 0;
  const look = (): void => {
    most = Math.max(most, pss());
  };
  const watch = setInterval(look, 500);
  const began = performance.now();
  const end = others();
  await crowd(look);
  const { p99, count, wrong } = await end();
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000;
  program.kill('SIGKILL');
  await new Promise((resolve) => program.once('exit', resolve));
  if (wrong > 0) process.exitCode = 1;
  return (
    `| ${what} | ${seconds.toFixed(0)} | ${before.toFixed(0)} | ${most.toFixed(0)} | ${count} | ` +
    `${wrong} | ${p99.toFixed(1)} |`
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const crowds: readonly (readonly [string, (look: () => void) => Promise<void>])[] = [
  ['nobody else', () => sleep(HELD_MS)],
  [`${OPEN} idle sessions, after HELO`, (look) => idle(OPEN, look)],
  [`${OPEN} connections that say nothing`, (look) => stay(OPEN, Buffer.alloc(0), look)],
  ['2,000 connections with a packet of 100 kB that is half sent', (look) => stay(2000, HALF_SENT, look)],
  ...Object.entries(COMING).map(([what, crowd]) => [`${SESSIONS} ${what}`, () => comeAndGo(crowd)] as const),
];
console.log(
  '| crowd | seconds | PSS before, MiB | at most | sessions of others | not let in | their p99, ms |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const [what, crowd] of crowds) console.log(await measured(what, crowd));
rmSync(directory, { recursive: true });
