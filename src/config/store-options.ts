/** The rows of the option table about the store that the MX hosts of a farm share. */
import { one, optional } from './option.ts';
import { SHARED, sharedWords, storeAddress, storePrefix } from './store-address.ts';
import { durationBetween, verbatim } from './values.ts';

export const STORE = {
  store: optional({
    value: 'URL',
    group: 'Farm',
    help: 'share what is known of senders with other MX hosts over this Redis or Valkey: redis://[USER@]HOST[:PORT][/DB], rediss:// for TLS, unix:[//USER@]/PATH[?db=DB], or redis+sentinel://HOST[:PORT],…/NAME[/DB]; see docs/farm.md',
    parse: storeAddress,
    check: true,
    restart: true,
  }),
  storePasswordFile: optional({
    value: 'FILE',
    group: 'Farm',
    help: 'with --store: the password is the first line of this file, read at the start',
    parse: verbatim,
    path: true,
    check: true,
    restart: true,
  }),
  storeCa: optional({
    value: 'FILE',
    group: 'Farm',
    help: 'with --store and TLS: trust the certificates in this PEM file, and no others',
    parse: verbatim,
    path: true,
    check: true,
    restart: true,
  }),
  storeShare: one({
    value: 'WHAT,…',
    group: 'Farm',
    help: `with --store: what is shared, of ${SHARED.join(', ')}`,
    parse: sharedWords,
    default: SHARED.join(','),
    restart: true,
  }),
  storePrefix: one({
    value: 'TEXT',
    group: 'Farm',
    help: 'with --store: how the names of all our values in it begin',
    parse: storePrefix,
    default: 'helo-milter',
    restart: true,
  }),
  storeTimeout: one({
    value: 'TIME',
    group: 'Farm',
    help: 'with --store: how long one question to it may take; without an answer we go on with what is known here',
    parse: durationBetween(5, 1000),
    default: '50ms',
    restart: true,
  }),
} as const;
