/**
 * The table of `scenarios.ts`, held with a real Postfix and a real Sendmail, each attached over TCP and over
 * a unix socket. Clients have their own addresses, see `own-network`. What each MTA said is printed at the
 * end.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { table } from '../../src/commands/table.ts';
import { type Certificates, makeCertificates } from './kit/certificates.ts';
import { startDovecotAuth } from './kit/dovecot-auth.ts';
import type { Mta } from './kit/mta.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { startSendmail } from './kit/sendmail.ts';
import { type Reply, SmtpClient } from './kit/smtp-client.ts';
import { talk } from './kit/talk.ts';
import { brief } from './kit/verdict.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { GROUPS, type Scenario } from './scenarios.ts';

const SOCKETS = ['inet', 'unix'] as const;
const MTAS = ['Postfix', 'Sendmail'] as const;
const WAYS = MTAS.flatMap((name, mta) => SOCKETS.map((socket, service) => ({ name, mta, socket, service })));

/** Keeps the messages to one address, to be looked at; Sendmail keeps all. */
const MAIN_CF = `
smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}
smtputf8_enable = no
`;
describeWith(['postfix', 'sendmail', 'nsd', 'openssl', 'own network'], 'scenarios', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let certificates: Certificates;
  let listen: string[];
  const mtas: Mta[] = [];
  /** The last reply of each scenario, by title and then by MTA and socket. */
  const told = new Map<string, Map<string, string>>();

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    certificates = await makeCertificates(workdir);
    const [port, path, saslSocket] = [
      await freePort(),
      join(workdir, 'milter.sock'),
      join(workdir, 'auth.sock'),
    ];
    const [inet, unix] = [`inet:127.0.0.1:${port}`, `unix:${path}`];
    listen = ['--listen', inet, '--listen', unix, '--socket-mode', '0666'];
    program = await startProgram(listen);
    (await startDovecotAuth(saslSocket)).unref();
    mtas.push(
      await startPostfix(workdir, {
        mainCf: `${shippedMainCf(inet)}${MAIN_CF}`,
        certificates,
        saslSocket,
        milters: [inet, unix],
      }),
      await startSendmail(workdir, {
        certificates,
        milters: [`S=inet:${port}@127.0.0.1, F=T, T=S:30s;R:30s`, `S=local:${path}, F=T, T=S:30s;R:30s`],
      }),
    );
  });

  afterAll(async () => {
    const rows = [...told].map(([title, replies]) => [
      title,
      ...MTAS.map((mta) =>
        [...new Set(SOCKETS.map((socket) => replies.get(`${mta} ${socket}`) ?? '-'))].join(' / '),
      ),
    ]);
    process.stdout.write(`${rows.length} scenarios\n${table([['scenario', ...MTAS], ...rows])}`);
    for (const mta of mtas) await mta.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  describe.each(GROUPS)('milter options: $options', ({ options, files = {}, scenarios }) => {
    beforeAll(async () => {
      const args = options.map((word) => {
        if (!(word in files)) return word;
        const file = join(workdir, word);
        writeFileSync(file, files[word] ?? '');
        return file;
      });
      await program.stop();
      const always = [...listen, '--dns-server', nsd.server, '--grace', '0s'];
      program = await startProgram([
        ...always,
        ...(options.includes('--churn-limit') ? [] : ['--churn-limit', '1000']),
        ...args,
      ]);
    });

    it.each(scenarios.flatMap((scenario) => WAYS.map((way) => ({ scenario, ...way }))))(
      '$name over $socket: $scenario.title',
      async ({ scenario, name, mta, socket, service }) => {
        const client = await SmtpClient.connect(mtas[mta]?.ports[service] ?? 0, scenario.from);
        const subject = `${name}-${socket}-${Math.random().toString(36).slice(2)}`;
        const heard: [string, string][] = [];
        let last: Reply | null = null;
        try {
          for (const [say] of scenario.talk) {
            last = await talk(client, say, { mta: name, certificates, subject });
            heard.push([say, brief(last)]);
          }
        } finally {
          client.close();
        }
        const title = [scenario.title, ...options].join(' ');
        const by = told.get(title) ?? new Map<string, string>();
        told.set(title, by.set(`${name} ${socket}`, last === null ? '-' : brief(last)));
        expect(heard).toEqual(
          scenario.talk.map(([say, each]) => [say, typeof each === 'string' ? each : each[name]]),
        );
        if (scenario.text !== undefined) expect(last?.text).toMatch(scenario.text);
        if (scenario.logged !== undefined)
          expect((await program.decisions()).at(-1)).toMatch(scenario.logged);
        await checkHeader(scenario, mtas[mta], subject);
      },
    );
  });

  async function checkHeader({ header }: Scenario, mta: Mta | undefined, subject: string): Promise<void> {
    if (header === undefined) return;
    const message = await vi.waitFor(async () => {
      const found = (await mta?.messages())?.find((each) => each.includes(subject));
      if (found === undefined) throw new Error('not queued yet');
      return found;
    }, 5000);
    expect(message).toMatch(header);
  }
});
