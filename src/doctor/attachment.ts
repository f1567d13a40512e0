/** Which of an MTA's milters is us, and the line that puts us into its list. */
import { socketsOf } from '../config/addresses.ts';
import { formatDuration } from '../config/values.ts';
import { leadsTo, socketForPostfix, socketForSendmail } from './endpoint.ts';
import type { RunningOptions } from './facts.ts';
import { filtersOf, itemsFor, listWith, type Wanted } from './filter-list.ts';
import { milterItem, patienceMs } from './milter-item.ts';
import type { Filter, FilterList, Mta, SmtpService } from './mta.ts';
import type { PostfixConfig } from './postfix-config.ts';
import { splitList } from './postfix-value.ts';
import { filterOf } from './postfix.ts';

export interface Attachment {
  readonly service: SmtpService;
  /** Null if none of its milters is us. */
  readonly ours: Filter | null;
}

/** Every service with our place in it. */
export function attachments(mta: Mta, options: RunningOptions): Attachment[] {
  return mta.services.map((service) => ({ service, ours: oursAmong(service.filters, options) }));
}

/** Services whose sessions reach us, each with our place in it. */
export function attached(mta: Mta, options: RunningOptions): { service: SmtpService; ours: Filter }[] {
  return attachments(mta, options).flatMap(({ service, ours }) =>
    ours === null || service.switchedOff !== null ? [] : [{ service, ours }],
  );
}

/** Whether mail from outside comes to us. If no service is meant for that, any service counts. */
export function reached({ services }: Mta, there: readonly { readonly service: SmtpService }[]): boolean {
  const inbound = services.some(({ role }) => role === 'inbound');
  return there.some(({ service }) => !inbound || service.role === 'inbound');
}

/** The same, with services combined that share the same milter line. */
export function attachedTogether(
  mta: Mta,
  options: RunningOptions,
): { service: SmtpService; ours: Filter }[] {
  const groups = new Map<string, { service: SmtpService; ours: Filter }>();
  for (const { service, ours } of attached(mta, options)) {
    const key = JSON.stringify([ours, service.ownList]);
    const group = groups.get(key);
    const title = group === undefined ? service.title : `${group.service.title}, ${service.title}`;
    groups.set(key, { service: { ...service, title }, ours });
  }
  return [...groups.values()];
}

/** Of those that are us for sure, all but the one that `postfix-conf/main.cf` names, or else the first. */
export function surplus({ list, filters }: SmtpService, options: RunningOptions): readonly Filter[] {
  const listens = socketsOf(options);
  const us = filters.filter(({ dialled }) => listens.some((listen) => leadsTo(dialled, listen) === 'yes'));
  const named = filtersOf(list).find(
    (each) => us.includes(each) && listWith(list, each).setting === PARAMETER,
  );
  const kept = named ?? us[0];
  return us.filter((each) => each !== kept);
}

export function oursAmong(filters: readonly Filter[], options: RunningOptions): Filter | null {
  const listens = socketsOf(options);
  const sure = filters.find(({ dialled }) => listens.some((listen) => leadsTo(dialled, listen) === 'yes'));
  if (sure !== undefined) return sure;
  // Our socket was handed over, so the only milter there is must be us.
  const [only, ...others] = filters;
  const possible = listens.some(
    (listen) => only !== undefined && leadsTo(only.dialled, listen) === 'unknown',
  );
  return only !== undefined && others.length === 0 && possible ? only : null;
}

/** A milter that is not us by its socket, but a helo-milter by its name or by that of its parameter. */
export function namesake({ filters, list }: SmtpService, options: RunningOptions): Filter | null {
  const ours = oursAmong(filters, options);
  const isNamed = (filter: Filter): boolean =>
    /helo/i.test(`${filter.text} ${filter.socket} ${listWith(list, filter).setting}`);
  return filters.find((filter) => filter !== ours && isNamed(filter)) ?? null;
}

/** The file and line that attach us to a service properly, in addition to the milters it has. */
export function attachLine(
  mta: Mta,
  service: SmtpService,
  options: RunningOptions,
): [file: string, line: string] {
  const [listen] = socketsOf(options);
  const ours = oursAmong(service.filters, options);
  if (mta.kind === 'sendmail') {
    const patience = formatDuration(patienceMs(options));
    const socket = ours?.socket ?? (listen === undefined ? 'SOCKET' : socketForSendmail(listen));
    const name = ours?.text ?? 'helo-milter';
    const times = `C:5s;S:${patience};R:${patience};E:30s`;
    // Without F= mail passes while the filter is down.
    const failure = options.observe ? '' : 'F=T, ';
    return ['sendmail.mc', `INPUT_MAIL_FILTER(\`${name}', \`S=${socket}, ${failure}T=${times}')dnl`];
  }
  const { config } = mta;
  if (ours !== null) {
    return changedLine(service, ours, milterItem(ours.socket, options, actionFor(config, options)));
  }
  const isParameter = config.value(PARAMETER) === '' || namesUs(config, service, options);
  const item = isParameter ? `$${PARAMETER}` : itemFor(config, service, options);
  return listLine(service, [item, ...service.filters]);
}

/**
 * The lines that attach us to a service of which none of the milters is us, in the order in which to write
 * them. They are those of `postfix-conf/main.cf`, so that whoever follows that file too has us once.
 */
export function attachLines(
  mta: Mta,
  service: SmtpService,
  options: RunningOptions,
): (readonly [file: string, line: string])[] {
  const line = attachLine(mta, service, options);
  if (mta.kind === 'sendmail' || mta.config.value(PARAMETER) !== '') return [line];
  return [['main.cf', `${PARAMETER} = ${itemFor(mta.config, service, options)}`], line];
}

/** Our item for a service that does not have us yet. */
function itemFor(config: PostfixConfig, service: SmtpService, options: RunningOptions): string {
  const [listen] = socketsOf(options);
  const queue = config.value('queue_directory');
  const socket = listen === undefined ? 'SOCKET' : socketForPostfix(listen, queue, service.chrooted);
  return milterItem(socket, options, actionFor(config, options));
}

/** What a client is told while we are down. */
function actionFor(config: PostfixConfig, { observe }: RunningOptions): 'accept' | 'tempfail' | 'shutdown' {
  if (observe) return 'accept';
  return config.knowsShutdown === true ? 'shutdown' : 'tempfail';
}

/** The parameter in `postfix-conf/main.cf` that stands for us. */
const PARAMETER = 'helo_milter';

function namesUs(config: PostfixConfig, { chrooted }: SmtpService, options: RunningOptions): boolean {
  const filters = splitList(config.value(PARAMETER)).map((text) => filterOf(config, text, chrooted));
  return filters.length === 1 && oursAmong(filters, options) !== null;
}

/** The list of a service's milters, with the file that has it, as written there. */
function listLine(service: SmtpService, wanted: readonly Wanted[]): [file: string, line: string] {
  return lineOf(service, service.list, wanted);
}

/** The line that gives a service these of its milters, in this order. */
export function listedLine(
  mta: Mta,
  service: SmtpService,
  filters: readonly Filter[],
): [file: string, line: string] {
  if (mta.kind === 'postfix') return listLine(service, filters);
  const names = filters.map(({ text }) => text).join(', ');
  return ['sendmail.mc', `define(\`confINPUT_MAIL_FILTERS', \`${names}')dnl`];
}

/** The setting in which one milter is written out, with a new text for that milter. */
export function changedLine(
  service: SmtpService,
  filter: Filter,
  text: string,
): [file: string, line: string] {
  const list = listWith(service.list, filter);
  return lineOf(
    service,
    list,
    filtersOf(list).map((each) => (each === filter ? text : each)),
  );
}

function lineOf(
  { title }: SmtpService,
  list: FilterList,
  wanted: readonly Wanted[],
): [file: string, line: string] {
  const { setting, opening, closing, own } = list;
  const text = `${setting} = ${opening}${itemsFor(list, wanted).join(', ')}${closing}`;
  return own ? ['master.cf', `${title}: -o { ${text} }`] : ['main.cf', text];
}
