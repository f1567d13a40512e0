/**
 * Real filters of the same host, in every order, with us at every place of the list and without us: what the
 * client is told and what is delivered must be the same, except for our own field and those that pretend to
 * be ours.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chain, chainsOf, type FilterName, type Way, waysOf } from './kit/chains.ts';
import {
  allForms,
  COMPANY_ZONES,
  GOOD_MAIL,
  type Letter,
  LETTERS,
  send,
  type Sent,
  WRITTEN,
} from './kit/company-mail.ts';
import { comparable, fieldsOf, withoutIds, withoutOurs } from './kit/delivered.ts';
import {
  type Filter,
  policydSpf,
  startOpendkim,
  startOpendmarc,
  startRspamd,
  withOurDns,
} from './kit/filters.ts';
import type { Mta } from './kit/mta.ts';
import { startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { startSendmail } from './kit/sendmail.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

/** An OpenDMARC that does not check SPF itself learns it from policyd-spf, in either form. */
const POSTFIX_CHAINS: readonly Chain[] = [
  ...chainsOf(['opendkim', 'rspamd'], [null, 'AR']),
  ...chainsOf(['opendkim', 'opendmarc', 'rspamd'], ['AR', 'SPF'], (filters) => filters.includes('opendmarc')),
  ...chainsOf(['opendkim', 'opendmarc-spf', 'rspamd'], [null, 'AR'], (filters) =>
    filters.includes('opendmarc-spf'),
  ),
];
const SENDMAIL_CHAINS = chainsOf(['opendkim', 'opendmarc-spf'], [null]);

/** A hundred messages and more go through several filters; on an idle machine that takes some seconds. */
const TIMEOUT_MS = 600_000;

/** A chain that gets every form of a forged field that we know, not only one of each kind. */
const isShownAll = ({ filters }: Chain): boolean => filters.join() === 'opendkim,opendmarc-spf';

/** The fields of a message as it is delivered; null if it is not. */
function delivered(messages: readonly string[], { subject, delivered: kept }: Sent): string[] | null {
  if (!kept) return null;
  const message =
    messages.find((each) => each.includes(subject)) ?? expect.fail(`${subject} is not delivered`);
  return comparable(fieldsOf(message), subject);
}

/**
 * What the other filters' fields must be: those of the message without us, byte for byte. Only the place of
 * rspamd's depends on who comes before it, since rspamd counts from the top: its field comes right below the
 * topmost that it finds, whosever that is.
 */
function asWithout(without: readonly string[] | null, ours: readonly string[] | null): string[] | null {
  if (without === null || ours === null) return without && withoutOurs(without);
  const theirs = withoutOurs(without);
  const [first, below = ''] = ours.slice(ours.findIndex((field) => WRITTEN.ours.test(field)));
  if (first === undefined || !RSPAMD.test(below) || !theirs.includes(below)) return theirs;
  theirs.splice(theirs.indexOf(below), 1);
  theirs.splice(withoutOurs(ours).indexOf(below), 0, below);
  return theirs;
}

/** What rspamd writes of any mail. */
const RSPAMD = /^Authentication-Results: mx\.dest\.test;\n\t[^]*dmarc=\w+ .*\(policy=reject\)/;

/** Compares what became of one letter at every service of a chain with what became of it without us. */
function expectTheSame(
  chain: Chain,
  letter: Letter,
  came: readonly { readonly way: Way; readonly sent: Sent; readonly fields: string[] | null }[],
): void {
  const [without] = came;
  if (without === undefined) throw new Error('no service without us');
  const { filters, policyd } = chain;
  const spf = filters.includes('opendmarc-spf') || (policyd !== null && letter.sender !== '');
  // For a null sender policyd-spf reports something that OpenDMARC makes no use of.
  const knowsAll = spf && /opendkim.*opendmarc/.test(filters.join());
  for (const { way, sent, fields } of came) {
    const title = [letter.title, way];
    if (knowsAll) expect([title, sent.delivered], sent.replies.at(-1)).toEqual([title, !letter.refused]);
    expect([title, sent.replies.map(withoutIds)]).toEqual([title, without.sent.replies.map(withoutIds)]);
    expect([title, fields && withoutOurs(fields)]).toEqual([title, asWithout(without.fields, fields)]);
    if (fields === null) continue;
    // And the only field under our name is our own.
    if (way !== null) {
      const ours = fields.filter((field) => !withoutOurs([field]).includes(field));
      const result = letter.helo === undefined ? 'pass' : 'fail';
      expect([title, ours]).toEqual([title, [expect.stringContaining(`\n\tx-helo=${result} `)]]);
      expect(ours[0]).toMatch(WRITTEN.ours);
    }
    if (letter !== GOOD_MAIL) continue;
    const silent = [...filters, ...(policyd === null ? [] : [policyd])].filter(
      (name) => !fields.some((field) => WRITTEN[name === 'opendmarc-spf' ? 'opendmarc' : name].test(field)),
    );
    // To an OpenDKIM behind it, rspamd's field on DKIM, under the host's name, is a forged one.
    expect([title, silent]).toEqual([title, /rspamd.*opendkim/.test(filters.join()) ? ['rspamd'] : []]);
  }
}

describeWith(
  ['postfix', 'sendmail', 'nsd', 'opendkim', 'opendmarc', 'rspamd', 'policyd-spf', 'unshare', 'own network'],
  'in company',
  () => {
    let workdir: string;
    let refusing: Program;
    let watching: Program;
    let postfix: Postfix;
    let messages = 0;
    const filters = new Map<FilterName, Filter>();
    /** Everything that has been started, in this order. */
    const running: { stop(): Promise<unknown> }[] = [];
    async function started<T extends (typeof running)[number]>(start: Promise<T>): Promise<T> {
      const it = await start;
      running.push(it);
      return it;
    }

    const portsOf = (chain: Chain, way: Way): number[] => {
      const ports = chain.filters.map((name) => filters.get(name)?.port ?? 0);
      const ours = (way?.observe === true ? watching : refusing).socket;
      return way === null ? ports : ports.toSpliced(way.place, 0, Number(ours.split(':').at(-1)));
    };

    beforeAll(async () => {
      workdir = makeWorkdir();
      const nsd = await started(startNsd(workdir, COMPANY_ZONES, { port: 53 }));
      filters.set('opendkim', await started(startOpendkim(workdir)));
      filters.set('opendmarc', await started(startOpendmarc(workdir, { spf: false })));
      filters.set('opendmarc-spf', await started(startOpendmarc(workdir, { spf: true })));
      filters.set('rspamd', await started(startRspamd(workdir)));
      const asks = ['--dns-server', nsd.server];
      refusing = await started(startProgram(asks));
      watching = await started(startProgram([...asks, '--observe']));
      const policyd = { AR: policydSpf(workdir, 'AR'), SPF: policydSpf(workdir, 'SPF') };
      const services = POSTFIX_CHAINS.flatMap((chain) => waysOf(chain).map((way) => ({ chain, way })));
      postfix = await started(
        startPostfix(workdir, {
          mainCf: [
            'smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}',
            `with_AR = reject_unauth_destination, ${policyd.AR.restriction}`,
            `with_SPF = reject_unauth_destination, ${policyd.SPF.restriction}`,
            // There are hundreds of services; only a few are used at a time.
            'max_idle = 5s',
          ].join('\n'),
          masterCf: Object.values(policyd).map(({ masterCf }) => masterCf),
          wrapper: withOurDns(workdir),
          milters: services.map(({ chain, way }) =>
            portsOf(chain, way).map((port) => `inet:127.0.0.1:${port}`),
          ),
          overrides: services.map(({ chain }) =>
            chain.policyd === null ? [] : [`smtpd_recipient_restrictions=$with_${chain.policyd}`],
          ),
        }),
      );
    });

    afterAll(async () => {
      process.stdout.write(
        `${POSTFIX_CHAINS.length + SENDMAIL_CHAINS.length} chains, ${messages} messages\n`,
      );
      for (const each of running.toReversed()) await each.stop();
      removeWorkdir(workdir);
    });

    /** Sends every letter to each of these services of a chain; the first is the one without us. */
    async function compare(
      mta: Mta,
      chain: Chain,
      services: readonly { readonly port: number; readonly way: Way }[],
    ): Promise<void> {
      const letters = isShownAll(chain) ? [...LETTERS, ...allForms(mta.name)] : LETTERS;
      const all = await Promise.all(
        services.map(async ({ port, way }) => {
          const came: { letter: Letter; way: Way; sent: Sent }[] = [];
          for (const letter of letters) {
            if (letter.helo !== undefined && way?.observe === false) continue;
            came.push({ letter, way, sent: await send(port, letter) });
          }
          return came;
        }),
      );
      // Every accepted message is queued.
      const queued = await mta.messages();
      messages += all.flat().length;
      for (const letter of letters) {
        const came = all.flat().filter((each) => each.letter === letter);
        expectTheSame(
          chain,
          letter,
          came.map(({ way, sent }) => ({ way, sent, fields: delivered(queued, sent) })),
        );
      }
    }

    it.each(POSTFIX_CHAINS)(
      '$title: Postfix treats mail as without us',
      async (chain) => {
        const before = POSTFIX_CHAINS.slice(0, POSTFIX_CHAINS.indexOf(chain)).flatMap(waysOf).length;
        const services = waysOf(chain).map((way, i) => ({ way, port: postfix.ports[before + i] ?? 0 }));
        await compare(postfix, chain, services);
        await postfix.forget();
      },
      TIMEOUT_MS,
    );

    // Sendmail listens on ten sockets at most.
    it.each(
      SENDMAIL_CHAINS.flatMap((chain) => [false, true].map((observe) => ({ ...chain, chain, observe }))),
    )('$title: Sendmail treats mail as without us, observe $observe', async ({ chain, observe }) => {
      const ways = waysOf(chain).filter((way) => way === null || way.observe === observe);
      const directory = join(workdir, `${chain.filters.join('-')}-${String(observe)}`);
      mkdirSync(directory);
      const sendmail = await startSendmail(directory, {
        milters: ways.map((way) =>
          portsOf(chain, way).map((port) => `S=inet:${port}@127.0.0.1, F=T, T=S:30s;R:30s`),
        ),
      });
      try {
        await compare(
          sendmail,
          chain,
          ways.map((way, i) => ({ way, port: sendmail.ports[i] ?? 0 })),
        );
      } finally {
        await sendmail.stop();
      }
    });
  },
);
