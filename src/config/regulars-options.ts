/** The rows of the option table about senders that are known by their mail. */
import { one, optional } from './option.ts';
import { clientWidth, countAndDays, verbatim } from './values.ts';

export const REGULARS = {
  regulars: optional({
    value: 'N/DAYS',
    group: 'Policy',
    help: 'a client and name with this many accepted messages on this many different days is no longer refused for what DNS does not have or what was inferred; see docs/regulars.md',
    parse: countAndDays,
    check: true,
  }),
  regularsFile: optional({
    value: 'FILE',
    group: 'Policy',
    help: 'with --regulars: keep them in this file, so that a restart does not forget them',
    parse: verbatim,
    path: true,
    check: true,
    restart: true,
  }),
  regularsNetwork: one({
    value: 'V4/V6',
    group: 'Policy',
    help: 'with --regulars: how many leading bits of an IPv4 and of an IPv6 address make a client',
    parse: clientWidth,
    default: '32/64',
    check: true,
    restart: true,
  }),
} as const;
