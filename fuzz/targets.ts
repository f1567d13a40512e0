/** The drivers, one a parser: everything that strangers, servers, files or an operator can hand us. */
import type { Target } from './target.ts';
import { DNS } from './targets/dns.ts';
import { MAIL } from './targets/mail.ts';
import { MILTER } from './targets/milter.ts';
import { NAMES } from './targets/names.ts';
import { OPERATOR } from './targets/operator.ts';
import { RECORDS } from './targets/records.ts';

export const TARGETS: readonly Target[] = [...MILTER, ...NAMES, ...DNS, ...OPERATOR, ...MAIL, ...RECORDS];
