/** Rows of the option table for what lies between a weight and a flat refusal: docs/policy.md. */
import { flag, many } from './option.ts';
import { ramp, streamLimit, streamWeight } from './values.ts';

export const LEVERS = {
  ramp: many({
    value: 'ID=COUNT/TIME',
    group: 'Policy',
    help: 'what is rejected for this finding is tempfailed at first, until its sender was told so this often over this long; see docs/policy.md',
    parse: ramp,
    table: true,
  }),
  streamWeight: many({
    value: 'STREAM=NUMBER',
    group: 'Policy',
    help: 'add this to the score of mail in the stream unverified or failed, which weighs no less; see docs/policy.md',
    parse: streamWeight,
    check: true,
    table: true,
  }),
  streamLimit: many({
    value: 'STREAM=COUNT/TIME',
    group: 'Policy',
    help: 'tempfail what one client network sends beyond this many messages in the stream unverified or failed; see docs/policy.md',
    parse: streamLimit,
    table: true,
  }),
  txtOptsOut: flag({
    group: 'Policy',
    help: 'a HELO name that has a text in DNS and no address ("mobile host") opts its host out, as method=none does',
    check: true,
  }),
} as const;
