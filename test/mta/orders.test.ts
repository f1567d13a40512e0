/** What gets lost in which order of real filters, as docs/company.md says: each row is a sentence there. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COMPANY_ZONES, DKIM_ONLY_MAIL, GOOD_MAIL, type Letter, send, WRITTEN } from './kit/company-mail.ts';
import { fieldsOf } from './kit/delivered.ts';
import { policydSpf, startOpendkim, startOpendmarc, startRspamd, withOurDns } from './kit/filters.ts';
import { startNsd } from './kit/nsd.ts';
import { type Postfix, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { startProgram } from './kit/program.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

type Name = 'us' | 'us (all)' | 'opendkim' | 'opendkim (all)' | 'opendmarc' | 'rspamd' | 'rspamd (removes)';
type Field = keyof typeof WRITTEN | 'forged';

interface Row {
  readonly title: string;
  readonly filters: readonly Name[];
  readonly policyd?: true;
  /** By default good mail. */
  readonly letter?: Letter;
  /** Fields of the message from its top; null if it is refused. */
  readonly kept: readonly Field[] | null;
}

const FORGED = 'Authentication-Results: mx.dest.test; dmarc=pass header.from=bank.test';
const withForged: Letter = { ...GOOD_MAIL, fields: [FORGED] };

const ROWS: readonly Row[] = [
  {
    title: 'the order that we recommend loses nothing',
    filters: ['us', 'opendkim', 'opendmarc', 'rspamd'],
    policyd: true,
    kept: ['opendmarc', 'rspamd', 'opendkim', 'ours', 'AR'],
  },
  {
    title: 'an OpenDKIM with RemoveARAll behind us removes our field',
    filters: ['us', 'opendkim (all)'],
    kept: ['opendkim'],
  },
  {
    title: 'before us it does not',
    filters: ['opendkim (all)', 'us'],
    kept: ['ours', 'opendkim'],
  },
  {
    title: "OpenDKIM behind rspamd removes rspamd's field, with us or without",
    filters: ['rspamd', 'opendkim'],
    kept: ['opendkim'],
  },
  {
    title: "OpenDKIM behind rspamd removes rspamd's field, and not ours",
    filters: ['us', 'rspamd', 'opendkim'],
    kept: ['opendkim', 'ours'],
  },
  {
    title: 'OpenDMARC before OpenDKIM refuses mail that is aligned by DKIM only',
    filters: ['us', 'opendmarc', 'opendkim'],
    letter: DKIM_ONLY_MAIL,
    kept: null,
  },
  {
    title: 'behind it it does not',
    filters: ['us', 'opendkim', 'opendmarc'],
    letter: DKIM_ONLY_MAIL,
    kept: ['opendmarc', 'opendkim', 'ours'],
  },
  {
    title: 'a removing rspamd behind us removes our field',
    filters: ['us', 'rspamd (removes)'],
    kept: ['rspamd'],
  },
  {
    title: 'before us it does not',
    filters: ['rspamd (removes)', 'us'],
    kept: ['ours', 'rspamd'],
  },
  {
    title: 'it removes those of the filters before it, behind us',
    filters: ['us', 'opendkim', 'opendmarc', 'rspamd (removes)'],
    kept: ['rspamd'],
  },
  {
    title: 'and before us',
    filters: ['opendkim', 'rspamd (removes)', 'us'],
    policyd: true,
    kept: ['ours', 'rspamd'],
  },
  {
    title: 'what policyd-spf prepends stays',
    filters: ['us'],
    policyd: true,
    kept: ['ours', 'AR'],
  },
  {
    title: 'unless we remove all fields with our name',
    filters: ['us (all)', 'opendkim'],
    policyd: true,
    kept: ['opendkim', 'ours'],
  },
  {
    title: 'a removing rspamd removes a forged DMARC result',
    filters: ['us', 'rspamd (removes)'],
    letter: withForged,
    kept: ['rspamd'],
  },
  {
    title: 'one that does not remove lets it through',
    filters: ['us', 'opendkim', 'rspamd'],
    letter: withForged,
    kept: ['opendkim', 'rspamd', 'ours', 'forged'],
  },
  {
    title: 'unless we remove all fields with our name',
    filters: ['us (all)', 'opendkim', 'rspamd'],
    letter: withForged,
    kept: ['opendkim', 'rspamd', 'ours'],
  },
];

describeWith(
  ['postfix', 'nsd', 'opendkim', 'opendmarc', 'rspamd', 'policyd-spf', 'unshare', 'own network'],
  'the order of filters',
  () => {
    let workdir: string;
    let postfix: Postfix;
    const running: { stop(): Promise<unknown> }[] = [];
    async function started<T extends (typeof running)[number]>(start: Promise<T>): Promise<T> {
      const it = await start;
      running.push(it);
      return it;
    }

    beforeAll(async () => {
      workdir = makeWorkdir();
      const nsd = await started(startNsd(workdir, COMPANY_ZONES, { port: 53 }));
      const filter = async (start: ReturnType<typeof startOpendkim>): Promise<string> =>
        `inet:127.0.0.1:${(await started(start)).port}`;
      const us = async (...options: string[]): Promise<string> =>
        (await started(startProgram(['--dns-server', nsd.server, ...options]))).socket;
      const sockets: Readonly<Record<Name, string>> = {
        us: await us(),
        'us (all)': await us('--forged-results', 'all'),
        opendkim: await filter(startOpendkim(workdir)),
        'opendkim (all)': await filter(startOpendkim(workdir, { removeAll: true })),
        opendmarc: await filter(startOpendmarc(workdir, { spf: true })),
        rspamd: await filter(startRspamd(workdir)),
        'rspamd (removes)': await filter(startRspamd(workdir, { remove: true })),
      };
      const { masterCf, restriction } = policydSpf(workdir, 'AR');
      postfix = await started(
        startPostfix(workdir, {
          mainCf: [
            'smtpd_data_restrictions = check_recipient_access inline:{hold@dest.test=HOLD}',
            `with_policyd = reject_unauth_destination, ${restriction}`,
          ].join('\n'),
          masterCf: [masterCf],
          wrapper: withOurDns(workdir),
          milters: ROWS.map(({ filters }) => filters.map((name) => sockets[name])),
          overrides: ROWS.map(({ policyd }) =>
            policyd === true ? ['smtpd_recipient_restrictions=$with_policyd'] : [],
          ),
        }),
      );
    });

    afterAll(async () => {
      for (const each of running.toReversed()) await each.stop();
      removeWorkdir(workdir);
    });

    const nameOf = (field: string): Field[] => {
      if (field === FORGED) return ['forged'];
      return (Object.keys(WRITTEN) as (keyof typeof WRITTEN)[]).filter((name) => WRITTEN[name].test(field));
    };

    it.each(ROWS.map((row, service) => ({ ...row, service })))(
      '$filters: $title',
      async ({ service, letter = GOOD_MAIL, kept }) => {
        const { subject, delivered } = await send(postfix.ports[service] ?? 0, letter);
        const message = (await postfix.messages()).find((each) => each.includes(subject));
        expect(delivered).toBe(kept !== null);
        expect(message === undefined ? null : fieldsOf(message).flatMap(nameOf)).toEqual(kept);
      },
    );
  },
);
