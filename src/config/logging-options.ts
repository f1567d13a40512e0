/** Rows of the option table for what the service tells: its log, its decision log, its numbers. */
import { LEVELS } from '../log/levels.ts';
import { flag, many, one, optional } from './option.ts';
import { httpAddress, oneOf, prefix, sizeBetween, verbatim } from './values.ts';

export const LOGGING = {
  logFormat: one({
    value: 'FORMAT',
    group: 'Logging',
    help: 'kv: lines of key=value; json: one JSON object a line; see docs/log.md',
    parse: oneOf('kv', 'json'),
    default: 'kv',
    restart: true,
  }),
  logLevel: one({
    value: 'LEVEL',
    group: 'Logging',
    help: 'write lines of this level and above: error, warning, info (decisions) or debug',
    parse: oneOf(...LEVELS),
    default: 'info',
  }),
  logTime: flag({
    group: 'Logging',
    help: 'begin key=value lines with the time in UTC; the journal and JSON have their own',
    restart: true,
  }),
  decisionLog: optional({
    value: 'FILE',
    group: 'Logging',
    help: 'append every decision with its evidence to this file, as JSON lines; reopened on SIGUSR1, see docs/log.md',
    parse: verbatim,
    restart: true,
    path: true,
  }),
  traceClient: many({
    value: 'NETWORK',
    group: 'Logging',
    help: 'log the whole milter dialogue of clients in this network; see docs/log.md',
    parse: prefix,
  }),
  http: optional({
    value: 'ADDRESS:PORT',
    group: 'Monitoring',
    help: 'serve /metrics for Prometheus, /healthz and /readyz here, for example 127.0.0.1:9892; see docs/metrics.md',
    parse: httpAddress,
    restart: true,
  }),
  httpPublic: flag({
    group: 'Monitoring',
    help: 'allow --http to be an address that others can reach; there is no password',
    restart: true,
  }),
  httpPage: flag({
    group: 'Monitoring',
    help: 'with --http on a loopback address: serve the page at /, which shows decisions as they are made and what other options would do; see docs/page.md',
    restart: true,
  }),
  history: optional({
    value: 'SIZE',
    group: 'Monitoring',
    help: 'with --http-page: memory for recent decisions, such as 64M; 16M unless given',
    parse: sizeBetween(128 * 1024, 1024 ** 3),
    restart: true,
  }),
  mask: optional({
    value: 'WHAT',
    group: 'Monitoring',
    help: 'recipients: pages and reports hide the local parts of recipients and senders',
    parse: oneOf('recipients'),
    restart: true,
  }),
} as const;
