/**
 * The milter killed, hung, and without DNS, behind both MTAs as `postfix-conf/` sets them up: nobody is
 * refused with 5yz.
 */
import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { table } from '../../src/commands/table.ts';
import { FAILURES, type Failure, type Point, POINTS } from '../fixtures/failures.ts';
import type { Mta } from './kit/mta.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { shippedFilter, startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER } from './scenarios.ts';

const SAY: Readonly<Record<Exclude<Point, 'connect'>, string>> = {
  EHLO: 'EHLO mail.sender.org',
  MAIL: 'MAIL FROM:<sender@sender.org>',
  RCPT: 'RCPT TO:<user@dest.test>',
  DATA: 'DATA',
  message: 'Subject: t\r\n\r\nbody\r\n.',
};

/**
 * The time limits that somebody may wait for, in seconds: one question to DNS, and those of postfix-conf for
 * a command and for the content. A wait is told by the limit that it has reached, since a busy machine adds
 * to it.
 */
const LIMITS = [3, 15, 30];

/** One session, taken up to a point and continued from there. */
class Session {
  readonly #mta: Mta;
  #client: SmtpClient | null = null;
  #at = 0;
  /** What was refused, and what took as long as a time limit. */
  readonly told: string[] = [];
  readonly codes: number[] = [];

  constructor(mta: Mta) {
    this.#mta = mta;
  }

  async upTo(point: Point): Promise<void> {
    while (POINTS[this.#at] !== point) await this.#step();
  }

  async toTheEnd(): Promise<void> {
    while (this.#at < POINTS.length && (this.codes.at(-1) ?? 0) < 400) await this.#step();
    this.#client?.close();
  }

  async #step(): Promise<void> {
    const point = POINTS[this.#at++] ?? 'connect';
    const started = performance.now();
    const code = await this.#say(point);
    // Timers may be a little early.
    const seconds = (performance.now() - started) / 1000 + 0.1;
    this.codes.push(code);
    const limit = LIMITS.findLast((each) => each <= seconds);
    const words = [
      point,
      ...(code >= 400 ? [code] : []),
      ...(limit === undefined ? [] : [`after ${limit} s`]),
    ];
    if (words.length > 1) this.told.push(words.join(' '));
  }

  async #say(point: Point): Promise<number> {
    if (point !== 'connect') return (await this.#client?.say(SAY[point]))?.code ?? 0;
    this.#client = await SmtpClient.connect(this.#mta.ports[0] ?? 0, SENDER);
    return 220;
  }
}

describeWith(['postfix', 'sendmail', 'nsd', 'own network'], 'the milter fails', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let listen: string[];
  let mtas: Mta[];
  const rows: string[][] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    const port = await freePort();
    listen = ['--listen', `inet:127.0.0.1:${port}`, '--grace', '0s'];
    program = await startProgram(listen);
    mtas = [
      await startPostfix(workdir, { mainCf: shippedMainCf(program.socket), milters: [null] }),
      await startSendmail(workdir, { milters: [shippedFilter(`inet:${port}@127.0.0.1`)] }),
    ];
  });

  afterAll(async () => {
    process.stdout.write(table([['the milter is', 'Postfix', 'Sendmail'], ...rows]));
    for (const mta of mtas) await mta.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function restart(server: string): Promise<void> {
    await program.stop('SIGKILL');
    program = await startProgram([...listen, '--dns-server', server]);
  }

  function note(failure: Failure, sessions: readonly Session[]): void {
    const [postfix = '', sendmail = ''] = sessions.map(({ told }) => told.join(', '));
    rows.push([failure.what, postfix, sendmail]);
    for (const { codes } of sessions) expect(codes.filter((code) => code >= 500)).toEqual([]);
    expect({ postfix, sendmail }).toEqual({ postfix: failure.postfix, sendmail: failure.sendmail });
  }

  const which = (how: Failure['how']): Failure[] => FAILURES.filter((each) => each.how === how);

  it.each(which('killed'))('$what', async (failure) => {
    await restart(nsd.server);
    const sessions = mtas.map((mta) => new Session(mta));
    for (const session of sessions) await session.upTo(failure.before);
    await program.stop('SIGKILL');
    for (const session of sessions) await session.toTheEnd();
    note(failure, sessions);
  });

  // All at the same time: each waits for a time limit of the MTA.
  it('wedged', async () => {
    await restart(nsd.server);
    const cases = which('wedged').map((failure) => ({
      failure,
      sessions: mtas.map((mta) => new Session(mta)),
    }));
    for (const { failure, sessions } of cases) for (const each of sessions) await each.upTo(failure.before);
    program.child.kill('SIGSTOP');
    await Promise.all(cases.flatMap(({ sessions }) => sessions.map((session) => session.toTheEnd())));
    program.child.kill('SIGCONT');
    for (const { failure, sessions } of cases) note(failure, sessions);
  });

  it.each(which('silent DNS'))('$what', async (failure) => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    await restart(`127.0.0.1:${silent.address().port}`);
    const sessions = mtas.map((mta) => new Session(mta));
    await Promise.all(sessions.map((session) => session.toTheEnd()));
    silent.close();
    note(failure, sessions);
  });

  describe.each(['Postfix', 'Sendmail'])('%s under load', (name) => {
    it('defers while the milter is killed and started again, and loses nothing', async () => {
      await restart(nsd.server);
      const port = mtas.find((mta) => mta.name === name)?.ports[0] ?? 0;
      const told = new Map<number, number>();
      let running = true;
      const sender = async (): Promise<void> => {
        while (running) {
          const client = await SmtpClient.connect(port, SENDER);
          await client.say('EHLO mail.sender.org');
          const { code } = await client.send();
          told.set(code, (told.get(code) ?? 0) + 1);
          await client.say('QUIT');
          client.close();
        }
      };
      const senders = [1, 2, 3, 4].map(sender);
      const until = async (code: number, atLeast: number): Promise<void> => {
        while ((told.get(code) ?? 0) < atLeast) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      await until(250, 10);
      await program.stop('SIGKILL');
      await until(451, 10);
      const accepted = told.get(250) ?? 0;
      program = await startProgram([...listen, '--dns-server', nsd.server]);
      await until(250, accepted + 10);
      running = false;
      await Promise.all(senders);
      expect([...told.keys()].sort()).toEqual([250, 451]);
    });
  });
});
