/** What is lost by the order in which an MTA asks its milters. */
import { attached, listedLine } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import type { Filter, Mta, SmtpService } from '../mta.ts';

/** Milters known by a word in their name or socket, or by their usual port. */
const KNOWN = {
  rspamd: /rspamd|:11332$|inet6?:11332@/i,
  SpamAssassin: /spamass/i,
  'authentication milter': /authres|authentication[-_]milter/i,
  OpenDKIM: /dkim|:8891$|inet6?:8891@/i,
  OpenDMARC: /dmarc|:8893$|inet6?:8893@/i,
} as const satisfies Readonly<Record<string, RegExp>>;

type Known = keyof typeof KNOWN;

/**
 * Milters that can be told to act on what we write into the header. OpenDMARC is not among them: it reads
 * only SPF and DKIM results.
 */
const READERS: readonly Known[] = ['rspamd', 'SpamAssassin', 'authentication milter'];

type Id = `${Mta['kind']}-order` | 'dmarc-before-dkim' | 'rspamd-before-dkim' | 'rspamd-removes-results';

export const orderCheck = defineDoctorCheck({
  topic: 'Attached to the MTA',
  diagnoses: {
    'postfix-order': {
      severity: 'warning',
      meaning: 'A milter that reads Authentication-Results comes before us, and so never sees ours.',
      cure: 'Put our socket first in smtpd_milters.',
    },
    'sendmail-order': {
      severity: 'warning',
      meaning: 'A filter that reads Authentication-Results comes before us, and so never sees ours.',
      cure: 'Put our INPUT_MAIL_FILTER line before the others.',
    },
    'dmarc-before-dkim': {
      severity: 'warning',
      meaning:
        'OpenDMARC comes before OpenDKIM, and judges without its result: mail fails that only a DKIM signature shows to be legitimate.',
      cure: 'Put OpenDKIM before OpenDMARC; docs/company.md has the whole order.',
    },
    'rspamd-before-dkim': {
      severity: 'note',
      meaning:
        'rspamd comes before OpenDKIM. If its milter_headers writes Authentication-Results, OpenDKIM takes the DKIM result in it, under the name of this host, for a forgery and removes the field. Whether rspamd does so here depends on its own files, which are not read.',
      cure: 'Put OpenDKIM before rspamd; docs/company.md has the whole order.',
    },
    'rspamd-removes-results': {
      severity: 'note',
      meaning:
        'If its milter_headers writes Authentication-Results, rspamd removes all fields of that name that it finds, including ours and those of OpenDKIM and OpenDMARC. Whether it does so here depends on its own files, which are not read.',
      cure: 'Set remove = false in its authentication-results routine; docs/company.md has the lines.',
    },
  },
  run({ mta, options }) {
    if (mta === null) return [];
    return attached(mta, options).flatMap(({ service, ours }) => [
      ...(options.noAuthResults ? [] : behind(mta, service, ours)),
      ...beforeDkim(mta, service, 'OpenDMARC', 'dmarc-before-dkim', 'and judges without its result'),
      ...beforeDkim(
        mta,
        service,
        'rspamd',
        'rspamd-before-dkim',
        'and may lose its Authentication-Results to it',
      ),
      ...(!options.noAuthResults && find(service, 'rspamd') !== undefined ? [rspamd(service)] : []),
    ]);
  },
});

function is({ text, socket }: Filter, known: Known): boolean {
  return KNOWN[known].test(text) || KNOWN[known].test(socket);
}

function find({ filters }: SmtpService, known: Known): Filter | undefined {
  return filters.find((filter) => is(filter, known));
}

/** Those that should see our field and do not. */
function behind(mta: Mta, service: SmtpService, ours: Filter): Diagnosis<Id>[] {
  const before = service.filters.slice(0, service.filters.indexOf(ours));
  const reader = READERS.find((known) => before.some((filter) => is(filter, known)));
  if (reader === undefined) return [];
  return [
    diagnosis(
      `${mta.kind}-order` as const,
      `${reader} comes before us in ${service.title}, and does not see our Authentication-Results`,
      listedLine(mta, service, [ours, ...service.filters.filter((filter) => filter !== ours)]),
    ),
  ];
}

/** One that should be asked after OpenDKIM, and is asked before it. */
function beforeDkim(mta: Mta, service: SmtpService, known: Known, id: Id, why: string): Diagnosis<Id>[] {
  const [dkim, early] = [find(service, 'OpenDKIM'), find(service, known)];
  if (dkim === undefined || early === undefined) return [];
  const { filters } = service;
  if (filters.indexOf(dkim) < filters.indexOf(early)) return [];
  const order = filters.flatMap((filter) =>
    filter === early ? [dkim, early] : filter === dkim ? [] : [filter],
  );
  return [
    diagnosis(
      id,
      `${known} comes before OpenDKIM in ${service.title}, ${why}`,
      listedLine(mta, service, order),
    ),
  ];
}

function rspamd({ title }: SmtpService): Diagnosis<Id> {
  return diagnosis(
    'rspamd-removes-results',
    `rspamd in ${title} may remove our Authentication-Results, and those of others`,
    ['rspamd/local.d/milter_headers.conf', 'routines { authentication-results { remove = false; } }'],
  );
}
