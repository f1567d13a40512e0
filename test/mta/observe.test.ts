/**
 * A milter that only watches changes nothing: every dialogue of `scenarios.ts`, held once with `--observe`
 * and once without us, gives the same replies and messages, except for our own field.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from './kit/certificates.ts';
import { comparable, fieldsOf, withoutIds, withoutOurs } from './kit/delivered.ts';
import { startDovecotAuth } from './kit/dovecot-auth.ts';
import type { Mta } from './kit/mta.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { startSendmail } from './kit/sendmail.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { talk } from './kit/talk.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { GROUPS, type Scenario } from './scenarios.ts';

/** What the client was told, and what became of its message. */
interface Course {
  readonly replies: readonly (readonly [say: string, reply: string])[];
  /** Null if none was kept. */
  readonly header: readonly string[] | null;
}

describeWith(['postfix', 'sendmail', 'nsd', 'openssl', 'own network'], '--observe', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program | null = null;
  let certificates: Certificates;
  let listen: string;
  const mtas: Mta[] = [];

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    certificates = await makeCertificates(workdir);
    const [port, saslSocket] = [await freePort(), join(workdir, 'auth.sock')];
    listen = `inet:127.0.0.1:${port}`;
    (await startDovecotAuth(saslSocket)).unref();
    mtas.push(
      await startPostfix(workdir, {
        mainCf: `${shippedMainCf(listen)}
smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}
smtputf8_enable = no
`,
        certificates,
        saslSocket,
        milters: [[], listen],
      }),
      await startSendmail(workdir, {
        certificates,
        milters: [null, `S=inet:${port}@127.0.0.1, F=T, T=S:30s;R:30s`],
      }),
    );
  });

  afterAll(async () => {
    for (const mta of mtas) await mta.stop();
    await program?.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function course(mta: Mta, service: number, { from, talk: lines }: Scenario): Promise<Course> {
    const subject = `observe-${service}-${Math.random().toString(36).slice(2)}`;
    const replies: [string, string][] = [];
    const client = await SmtpClient.connect(mta.ports[service] ?? 0, from);
    try {
      for (const [say] of lines) {
        const { text } = await talk(client, say, { mta: mta.name, certificates, subject });
        replies.push([say, withoutIds(text)]);
      }
    } finally {
      client.close();
    }
    const sent = lines.some(([say]) => say === 'MESSAGE');
    const message = sent ? (await mta.messages()).find((each) => each.includes(subject)) : undefined;
    return { replies, header: message === undefined ? null : comparable(fieldsOf(message), subject) };
  }

  describe.each(GROUPS)('with $options', ({ options, files = {}, scenarios }) => {
    beforeAll(async () => {
      const args = options.map((word) => {
        if (!(word in files)) return word;
        const file = join(workdir, word);
        writeFileSync(file, files[word] ?? '');
        return file;
      });
      await program?.stop();
      const always = ['--listen', listen, '--dns-server', nsd.server, '--grace', '0s'];
      program = await startProgram([
        ...always,
        ...(options.includes('--observe') ? [] : ['--observe']),
        ...args,
      ]);
    });

    /** To refuse is the job of a self-test, watched or not. */
    const isSelfTest = ([say]: Course['replies'][number]): boolean =>
      options.includes('--self-test-recipient') && /^RCPT helotest/i.test(say);

    it.each(scenarios)('$title', async (scenario) => {
      for (const mta of mtas) {
        const [without, ours] = [await course(mta, 0, scenario), await course(mta, 1, scenario)];
        const tested = ours.replies.filter(isSelfTest);
        for (const [, reply] of tested) expect(reply).toMatch(/^550/);
        const others = (replies: Course['replies']): Course['replies'] =>
          replies.filter((each) => !isSelfTest(each));
        expect([mta.name, others(ours.replies)]).toEqual([mta.name, others(without.replies)]);
        const [theirs, before] = [ours, without].map(({ header }) => header && withoutOurs(header));
        expect([mta.name, theirs]).toEqual([mta.name, before]);
      }
    });

    it('was asked all the same', async () => {
      expect((await program?.decisions())?.length).toBeGreaterThan(0);
      expect((await program?.decisions())?.filter((line) => !line.includes(' action=accept '))).toEqual([]);
    });
  });
});
