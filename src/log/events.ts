/**
 * Every event of the log in one table: its word, its level, its fields in their order, and when it is
 * written. It types the calls of the log, and `docs/log.md` is made from it. Words and fields are public API.
 */

/**
 * `error`: we, or something we depend on, do not work as we should. `warning`: something went wrong, and
 * affected one session at most. `notice`: our own start, stop and reload. `info`: decisions. `debug`: for a
 * look inside.
 */
export type Level = 'error' | 'warning' | 'notice' | 'info' | 'debug';

/** What a kind of line in the log is made of (docs/log.md). */
export interface LogEvent {
  /** The first word of the line. Two events share a word if they are the same thing at different levels. */
  readonly word: string;
  readonly level: Level;
  /** Null for an event with a writer and a table of its own. */
  readonly fields: readonly string[] | null;
  readonly when: string;
}

/** By name, which is the word itself if it has only one level; in the order of the documentation. */
export const EVENTS = {
  decision: { word: 'decision', level: 'info', fields: null, when: 'something was decided' },
  'self-test': {
    word: 'self-test',
    level: 'info',
    fields: ['client', 'helo', 'result', 'score', 'cause', 'exempt', 'from', 'rcpt', 'ref'],
    when: 'mail to an address of `--self-test-recipient` was answered: `result` is what is done about mail of this client (`accept`, `tempfail`, `reject`, `exempt`), or `limited` where its network had asked too often',
  },
  trace: {
    word: 'trace',
    level: 'info',
    fields: ['session', 'client', 'ms', 'side', 'what', 'text'],
    when: 'a client of `--trace-client` says something or gets a reply; see below',
  },
  access: {
    word: 'access',
    level: 'info',
    fields: ['line', 'hits'],
    when: 'how often each line of the access list has matched since the list was read, told at the end and before a reload; lines that never matched are left out',
  },
  started: {
    word: 'started',
    level: 'notice',
    fields: ['version', 'sockets', 'policy', 'observe', 'http'],
    when: 'JSON only, instead of the text for people',
  },
  reloaded: {
    word: 'reloaded',
    level: 'notice',
    fields: ['changed'],
    when: 'files and options were read again after SIGHUP; `changed` names the options that changed',
  },
  'access-expired': {
    word: 'access-expired',
    level: 'notice',
    fields: ['file', 'line'],
    when: 'a line of the access list has expired',
  },
  'dns-recovered': {
    word: 'dns-recovered',
    level: 'notice',
    fields: ['failing', 'networks', 'effect'],
    when: 'the resolver answers again',
  },
  'decision-log-reopened': {
    word: 'decision-log-reopened',
    level: 'notice',
    fields: ['file'],
    when: 'the decision log was reopened after SIGUSR1',
  },
  'decision-log-resumed': {
    word: 'decision-log-resumed',
    level: 'notice',
    fields: ['file', 'lost'],
    when: 'records can be written again; `lost` is how many were not',
  },
  'store-recovered': {
    word: 'store-recovered',
    level: 'notice',
    fields: ['store', 'detail', 'seconds'],
    when: 'the store of the farm answers again after so many seconds; `detail` is what was last wrong',
  },
  stopping: {
    word: 'stopping',
    level: 'notice',
    fields: ['reason', 'connections'],
    when: 'we were told to stop',
  },
  stopped: { word: 'stopped', level: 'notice', fields: [], when: 'the last line' },
  regulars: {
    word: 'regulars',
    level: 'warning',
    fields: ['file', 'detail', 'effect'],
    when: 'the file of `--regulars-file` cannot be used, or not be written',
  },
  check: {
    word: 'check',
    level: 'warning',
    fields: ['check', 'detail'],
    when: 'a check failed and counts as having nothing to say',
  },
  'reload-incomplete': {
    word: 'reload',
    level: 'warning',
    fields: ['options', 'effect'],
    when: 'options that are read only at the start have changed',
  },
  node: {
    word: 'node',
    level: 'warning',
    fields: ['detail'],
    when: 'this version of Node gets no more fixes',
  },
  descriptors: {
    word: 'descriptors',
    level: 'warning',
    fields: ['detail'],
    when: 'the process may open fewer files than the SMTP connections that it would take need',
  },
  'auth-results': {
    word: 'auth-results',
    level: 'warning',
    fields: ['detail', 'effect'],
    when: 'why messages are left without our Authentication-Results, each reason once until a reload',
  },
  root: { word: 'root', level: 'warning', fields: ['detail'], when: 'we run as root and do not need to' },
  'protocol-broken': {
    word: 'session',
    level: 'warning',
    fields: ['at', 'detail'],
    when: 'the peer broke the protocol (`at=protocol`)',
  },
  'dns-memory': {
    word: 'dns-memory',
    level: 'warning',
    fields: ['effect'],
    when: 'assessments under way hold too many large answers; answers that do not fit into the memory left count as unknown',
  },
  http: {
    word: 'http',
    level: 'warning',
    fields: ['detail'],
    when: 'a page of `--http`, or its socket, failed; mail goes on',
  },
  'dns-overload': {
    word: 'dns-overload',
    level: 'warning',
    fields: ['questions', 'networks', 'effect'],
    when: 'there is more to ask than can be asked at once: how many questions, of how many client networks, were given up since the last such line; at most one line in ten seconds',
  },
  'peer-turned-away': {
    word: 'turned-away',
    level: 'warning',
    fields: ['reason', 'detail'],
    when: 'a connection was closed: together the connections kept too much in memory (`buffers`), or its peer does not read our replies (`unread`)',
  },
  'log-lost': {
    word: 'log-lost',
    level: 'warning',
    fields: ['lines'],
    when: 'the reader of the log was too slow',
  },
  'callback-failed': {
    word: 'session',
    level: 'error',
    fields: ['at', 'detail'],
    when: 'a callback of ours failed; the MTA was answered as `--on-error` says',
  },
  'all-turned-away': {
    word: 'turned-away',
    level: 'error',
    fields: ['reason', 'detail'],
    when: 'a connection was closed at once: the maximum number is open (`connections`), or the process can hardly open more files (`descriptors`)',
  },
  internal: {
    word: 'internal',
    level: 'error',
    fields: ['at', 'detail'],
    when: 'an unforeseen fault',
  },
  'reload-failed': {
    word: 'reload',
    level: 'error',
    fields: ['detail', 'effect'],
    when: 'something that was to be read again is wrong; what was read before stays in force',
  },
  'dns-outage': {
    word: 'dns-outage',
    level: 'error',
    fields: ['failing', 'networks', 'effect'],
    when: 'the resolver is out of order, so nothing that rests on DNS is refused; how many of the client networks heard from lately meet with trouble',
  },
  'store-outage': {
    word: 'store-outage',
    level: 'error',
    fields: ['store', 'detail', 'effect'],
    when: 'the store of the farm cannot be reached, does not answer in time, or cannot do what is asked; told once until it answers again',
  },
  systemd: {
    word: 'systemd',
    level: 'error',
    fields: ['detail'],
    when: 'our state cannot be reported to systemd',
  },
  watchdog: {
    word: 'watchdog',
    level: 'error',
    fields: ['detail'],
    when: 'one of our own sockets does not answer',
  },
  'decision-log': {
    word: 'decision-log',
    level: 'error',
    fields: ['file', 'detail', 'effect'],
    when: 'the decision log cannot be written or reopened',
  },
  'session-opened': {
    word: 'session-opened',
    level: 'debug',
    fields: ['session', 'client'],
    when: 'an SMTP connection began',
  },
  'session-closed': {
    word: 'session-closed',
    level: 'debug',
    fields: ['session', 'client', 'ms', 'commands', 'cached'],
    when: 'it ended; `cached` is how many clients the cache holds',
  },
} as const satisfies Readonly<Record<string, LogEvent>>;

type Events = typeof EVENTS;
/** Events that `Log.tell` writes: all whose fields are in the table. */
export type EventName = {
  [Name in keyof Events]: Events[Name]['fields'] extends null ? never : Name;
}[keyof Events];
/** The fields of an event. Each must be given; null is left out of the line. */
export type EventFields<Name extends EventName> = Readonly<
  Record<NonNullable<Events[Name]['fields']>[number], string | number | null>
>;
