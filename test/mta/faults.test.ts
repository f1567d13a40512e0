/**
 * Faults under load, behind a real Postfix and a real Sendmail: what was sent is delivered, deferred or
 * refused by policy, and nothing else. Here those that no other suite has; `npm run faults` runs all, and
 * `npm run faults -- --soak MINUTES` a random one each minute.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FaultWorld, haproxyConfig, makeFaultWorld, sleep } from './kit/fault-world.ts';
import { type Fault, FAULTS } from './kit/faults.ts';
import { startNsd, withSystemPath } from './kit/nsd.ts';
import { keptBy, Post } from './kit/post.ts';
import { shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { freePorts, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { soak } from './kit/soak.ts';

const ALL = process.env['FAULTS'] === 'all';
/** Of all, those with these words in their titles. */
const ONLY = process.env['FAULTS_ONLY'] ?? '';
const SOAK_MINUTES = Number(process.env['SOAK_MINUTES'] ?? 0);
const PAGE = new URL('../../docs/reliability.md', import.meta.url);
/** Faults that the suites of CI cause nowhere else; those without an end of their own last `CI_MS`. */
const IN_CI = [
  'no descriptors are left',
  'the clock steps a day forward, two back, and one forward',
  'a heap of 32 MB, and 500 strangers with a name each',
  'whoever reads the log is gone',
  'whoever reads the log is stuck',
  'HTTP abused: 300 connections that are half sent, and /metrics all the time',
  'Postfix reloads, stops and starts',
  'connections between MTA and milter are reset, all of them, ten times a second',
];
const CI_MS = 600;
const ALL_MS = 3000;
/** Milliseconds before and after a fault. */
const CALM_MS = ALL ? 1000 : 200;

/** The senders heard nothing that is wrong, and the MTA has what it said that it would keep, and no more. */
function settle(posts: readonly Post[], kept: ReadonlySet<string>): void {
  for (const post of posts) {
    expect(post.wrong).toEqual([]);
    // A message that is missing was lost; one too many was refused by word only.
    expect([...kept].filter((id) => post.isOwn(id)).sort()).toEqual(post.delivered.toSorted());
  }
}

describeWith(['postfix', 'sendmail', 'nsd', 'redis-server', 'unshare', 'own network'], 'under load', () => {
  let world: FaultWorld;
  const rows: string[] = [];

  beforeAll(async () => {
    world = await makeFaultWorld();
  });

  afterAll(async () => {
    await world.stop();
    if (ALL && ONLY === '') writeTable(rows);
    else process.stdout.write(`${rows.join('\n')}\n`);
  });

  async function during({ title, command, cause }: Fault, ms: number): Promise<void> {
    const posts = world.mtas.map((mta, i) => new Post(mta, { paceMs: 5, series: rows.length * 2 + i }));
    for (const post of posts) post.begin(4);
    await sleep(CALM_MS);
    await cause(world, ms);
    await world.ready();
    await sleep(CALM_MS);
    for (const post of posts) await post.end();
    settle(posts, new Set(world.mtas.flatMap((mta) => [...keptBy(mta, world.workdir)])));
    const told = posts.map(({ account }) => account);
    const sum = (of: (each: (typeof told)[number]) => number): string => told.map(of).join(' / ');
    rows.push(
      `| ${title} | \`${command.replaceAll('|', '\\|')}\` | ${sum((a) => a.sent)} | ${sum((a) => a.delivered)} | ` +
        `${sum((a) => a.deferred)} | ${sum((a) => a.refused)} | ${sum((a) => a.p99)} | ${sum((a) => a.slowest)} |`,
    );
  }

  const isWanted = ({ title }: Fault): boolean =>
    ALL ? title.includes(ONLY) : SOAK_MINUTES === 0 && IN_CI.includes(title);
  it('has faults to cause', () => {
    expect(SOAK_MINUTES > 0 || FAULTS.some(isWanted)).toBe(true);
  });

  it.each(FAULTS.filter(isWanted))(
    '$title',
    async (fault) => {
      await during(fault, ALL ? ALL_MS : CI_MS);
    },
    600_000,
  );

  it('CI has faults that there are', () => {
    expect(IN_CI.filter((title) => !FAULTS.some((fault) => fault.title === title))).toEqual([]);
  });

  it.each(SOAK_MINUTES > 0 ? [SOAK_MINUTES] : [])(
    'a soak of %d minutes with a random fault each minute',
    async () => {
      const posts = world.mtas.map((mta, i) => new Post(mta, { paceMs: 150, series: i }));
      const told = await soak(world, posts, FAULTS, SOAK_MINUTES);
      settle(posts, new Set(world.mtas.flatMap((mta) => [...keptBy(mta, world.workdir)])));
      writeFileSync(new URL('../../docs/pictures/soak.svg', import.meta.url), told.picture);
      writeSection('soak', told.text);
    },
    (SOAK_MINUTES + 10) * 60_000,
  );
});

// A soak has the machine for itself.
if (SOAK_MINUTES === 0 && ONLY === '')
  describeWith(['postfix', 'nsd', 'haproxy', 'own network'], 'behind HAProxy', behindHaproxy);

function behindHaproxy(): void {
  let haproxy: ChildProcess | null = null;

  it.each([3])(
    'one of %d milters is killed in the middle of sessions, and every message is accounted for',
    async (howMany) => {
      const workdir = makeWorkdir();
      const nsd = await startNsd(workdir, ZONES);
      const ports = await freePorts(howMany);
      const programs: Program[] = [];
      for (const port of ports) {
        const words = [
          '--listen',
          `inet:127.0.0.1:${port}`,
          '--dns-server',
          nsd.server,
          '--churn-limit',
          '1000',
        ];
        programs.push(await startProgram(words));
      }
      const { file, port } = await haproxyConfig(workdir, ports);
      haproxy = spawn('haproxy', ['-q', '-db', '-f', file], { stdio: 'ignore', env: withSystemPath() });
      const postfix = await startPostfix(workdir, {
        mainCf: `${shippedMainCf(`inet:127.0.0.1:${port}`)}\nsmtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}\n`,
        milters: [null],
      });
      const post = new Post(postfix);
      post.begin(8);
      await post.until('delivered', 60);
      await programs[0]?.stop('SIGKILL');
      await post.until('delivered', 100);
      await post.end();
      settle([post], keptBy(postfix, workdir));
      const { sent, delivered, deferred, refused } = post.account;
      process.stdout.write(
        `HAProxy: sent ${sent} = delivered ${delivered} + deferred ${deferred} + refused ${refused}\n`,
      );
      // Each of the others has served.
      for (const each of programs.slice(1)) expect((await each.decisions()).length).toBeGreaterThan(10);
      haproxy.kill('SIGTERM');
      await postfix.stop();
      for (const each of programs) await each.stop('SIGKILL');
      await nsd.stop();
      removeWorkdir(workdir);
    },
  );

  afterAll(() => {
    haproxy?.kill('SIGKILL');
  });
}

function writeTable(rows: readonly string[]): void {
  const head =
    '| what happens | such as by | sent | delivered at once | deferred, and delivered or refused later | refused by policy | p99 ms | slowest ms |\n' +
    '| --- | --- | --- | --- | --- | --- | --- | --- |';
  writeSection('faults', [head, ...rows].join('\n'));
}

/** Writes what stands between two marks of the page. */
function writeSection(name: string, text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const [head = '', rest = ''] = page.split(`<!-- ${name} -->`);
  const [, tail = ''] = rest.split(`<!-- /${name} -->`);
  writeFileSync(PAGE, `${head}<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->${tail}`);
}
