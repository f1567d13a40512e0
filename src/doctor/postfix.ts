/** Postfix as an Mta: its services, the milters of each, its names. */
import { type IpPrefix, isPrivateAddress, parseIp, parsePrefix } from '../core/ip.ts';
import { dialledByPostfix, portNumber } from './endpoint.ts';
import { filtersOf, readList } from './filter-list.ts';
import type { FailureAction, Filter, FilterList, Mta, Role, SmtpService, SourcedName } from './mta.ts';
import type { MasterLine } from './postconf.ts';
import type { PostfixConfig } from './postfix-config.ts';
import { compareLevels, splitList, timeMs, withoutBraces } from './postfix-value.ts';

const SUBMISSION_PORTS: ReadonlySet<number> = new Set([587, 465]);
const ACTIONS: readonly string[] = ['accept', 'tempfail', 'reject', 'quarantine', 'shutdown'];

export function postfixMta(config: PostfixConfig): Mta {
  const lines = config.services.filter(
    ({ type, command }) => (type === 'inet' || type === 'pass') && command === 'smtpd',
  );
  const services: SmtpService[] = lines.map((line) => serviceOf(config, line));
  return {
    kind: 'postfix',
    config,
    // Without master.cf, one service with the settings of main.cf stands for all.
    services: config.services.length === 0 ? [serviceOf(config)] : services,
    ownName: config.value('myhostname').toLowerCase() || null,
    localNames: names(config, ['mydestination']),
    hostedNames: names(config, [
      'mydomain',
      'virtual_alias_domains',
      'virtual_mailbox_domains',
      'relay_domains',
    ]),
    addresses: addresses(config),
    networks: networks(config),
    user: config.value('mail_owner'),
  };
}

function serviceOf(config: PostfixConfig, line?: MasterLine): SmtpService {
  const value = (name: string): string => config.value(name, line);
  const [host, port] = endpoint(line);
  const options = splitList(value('receive_override_options'));
  const chrooted = line === undefined ? null : isChrooted(config, line);
  const list = milterList(config, chrooted, line);
  return {
    title: line === undefined ? 'smtpd' : `${line.name} ${line.type}`,
    role: role(host, port),
    macros: [value('milter_macro_daemon_name').toLowerCase(), ...(port === null ? [] : [String(port)])],
    chrooted,
    filters: filtersOf(list),
    ownList: list.own,
    list,
    switchedOff: options.includes('no_milters') ? 'receive_override_options=no_milters' : null,
    heloRequired: config.isYes('smtpd_helo_required', line),
  };
}

/**
 * What `smtpd_milter_maps` gives for a client replaces `smtpd_milters` (postconf(5)). A `static:` map gives
 * one list for all clients; the tables before it may give another for some.
 */
function milterList(
  config: PostfixConfig,
  chrooted: boolean | null,
  line: MasterLine | undefined,
): FilterList {
  const reading = { config, line, filterOf: (text: string) => filterOf(config, text, chrooted, line) };
  const written = milterMaps(config.written('smtpd_milter_maps', line));
  const read = milterMaps(config.value('smtpd_milter_maps', line));
  if (read.all === null || read.all === 'DISABLE') {
    return readList('smtpd_milters', config.written('smtpd_milters', line), reading);
  }
  // If the table itself comes from another setting, the list is written as it was read.
  const { before, all } = written.all === null ? read : written;
  const opening = `${before.map((table) => `${table}, `).join('')}static:{ `;
  return readList('smtpd_milter_maps', all ?? '', reading, [opening, ' }']);
}

/**
 * The tables of `smtpd_milter_maps` that are asked for each client, and what a `static:` map gives for
 * everybody, if there is one.
 */
export function milterMaps(text: string): { before: string[]; all: string | null } {
  const tables = splitList(text);
  const at = tables.findIndex((table) => table.startsWith('static:'));
  return at === -1
    ? { before: tables, all: null }
    : { before: tables.slice(0, at), all: withoutBraces(tables[at]?.slice('static:'.length) ?? '').trim() };
}

/** Host and port on which a service listens; the one behind postscreen has the SMTP port. */
function endpoint(line?: MasterLine): [host: string, port: number | null] {
  if (line === undefined || line.type === 'pass') return ['', 25];
  const [, host = '', port = ''] = /^(?:(.*):)?([^:]+)$/.exec(line.name) ?? [];
  return [host.replaceAll(/[[\]]/g, ''), portNumber(port)];
}

function role(host: string, port: number | null): Role {
  if (port !== null && SUBMISSION_PORTS.has(port)) return 'submission';
  return host === 'localhost' || host === '::1' || host.startsWith('127.') ? 'local' : 'inbound';
}

/** `-` is "no" from Postfix 3.0 on, and "yes" at compatibility level 0 (`master_ent.c`). */
function isChrooted(config: PostfixConfig, { chroot }: MasterLine): boolean {
  return chroot === '-' ? compareLevels(config.value('compatibility_level'), '1') < 0 : chroot === 'y';
}

/** `SOCKET`, or `{ SOCKET, name=value … }` with settings of its own (MILTER_README, from Postfix 3.0). */
export function filterOf(
  config: PostfixConfig,
  text: string,
  chrooted: boolean | null,
  line?: MasterLine,
): Filter {
  const [socket = '', ...settings] = splitList(withoutBraces(text));
  const own = new Map(
    settings.map((each) => {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(each) ?? [];
      return [name, withoutBraces(value)];
    }),
  );
  const setting = (name: string): string => own.get(name) ?? config.value(`milter_${name}`, line);
  return {
    text,
    socket,
    dialled: dialledByPostfix(socket, config.value('queue_directory'), chrooted),
    onFailure: failureAction(setting('default_action'), config.knowsShutdown),
    connectMs: timeMs(setting('connect_timeout')) ?? 30_000,
    commandMs: timeMs(setting('command_timeout')) ?? 30_000,
    contentMs: timeMs(setting('content_timeout')) ?? 300_000,
    protocol: parseInt(setting('protocol'), 10) || 6,
  };
}

/** Besides the words, Postfix takes a reply such as `451 4.7.1 text` (`milter.c`). */
function failureAction(text: string, hasShutdown: boolean | null): FailureAction {
  if (/^4\d\d\s/.test(text)) return 'tempfail';
  if (/^5\d\d\s/.test(text)) return 'reject';
  const known = ACTIONS.includes(text) && (text !== 'shutdown' || hasShutdown !== false);
  return known ? (text as FailureAction) : { unknown: text };
}

/** Names written out in a setting; tables are not opened. */
function names(config: PostfixConfig, settings: readonly string[]): SourcedName[] {
  return settings.flatMap((from) =>
    splitList(config.value(from))
      .map((name) => name.toLowerCase().replace(/^\./, ''))
      .filter(
        (name) =>
          /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name) &&
          !/^localhost\.|\.localdomain$|^localdomain$/.test(name),
      )
      .map((name) => ({ name, from })),
  );
}

function addresses(config: PostfixConfig): SourcedName[] {
  const of = (from: string, text: string): SourcedName[] =>
    splitList(text).flatMap((item) => {
      const address = parseIp(item.replace(/^\[(.*)\]$/, '$1').replace(/^IPv6:/i, ''));
      return address === null || isPrivateAddress(address) ? [] : [{ name: address.text, from }];
    });
  const interfaces = of('inet_interfaces', config.value('inet_interfaces'));
  return [
    // If there is only one, every client comes in at it, and the macro {daemon_addr} gives it.
    ...(interfaces.length > 1 ? interfaces : []),
    ...of('proxy_interfaces', config.value('proxy_interfaces')),
    ...of('mydestination', config.value('mydestination')),
  ];
}

/** By default Postfix trusts its own addresses; they are left out, like loopback. */
function networks(config: PostfixConfig): IpPrefix[] {
  return splitList(config.value('mynetworks')).flatMap((text) => {
    const prefix = parsePrefix(text.replaceAll(/[[\]]/g, ''));
    if (prefix === null) return [];
    const { address, length } = prefix;
    const loopback = (address.family === 4 && address.bytes[0] === 127) || address.text === '::1';
    const single = length === address.bytes.length * 8;
    return loopback || (single && !config.isSet('mynetworks')) ? [] : [prefix];
  });
}
