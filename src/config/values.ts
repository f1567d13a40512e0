/**
 * Readers for the values of options. Each takes the text that the operator wrote, and throws a UsageError if
 * it is not valid.
 */
import { isQueryName } from '../core/domain.ts';
import { NAT64_LENGTHS } from '../core/embedded.ts';
import { type Unproved, UNPROVED } from '../core/checks/stream.ts';
import { type IpAddress, type IpPrefix, isLoopback, parseIp, parsePrefix } from '../core/ip.ts';
import { UsageError } from '../errors.ts';
import { exemptRecipient } from '../policy/exemption.ts';
import { type Mailbox, parseMailbox } from '../policy/mailbox.ts';
import type { StreamLimit } from '../policy/rules.ts';
import { writtenName } from '../policy/written-name.ts';

export function oneOf<const T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new UsageError(`"${text}" is not one of ${words.join(', ')}`);
    return word;
  };
}

/** A whole number from `min` to `max`. */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = decimal(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new UsageError(`"${text}" is not a whole number from ${min} to ${max}`);
  };
}

/** A number from `min` to `max`, perhaps with a fraction. */
export function numberBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = decimal(text);
    if (value >= min && value <= max) return value;
    throw new UsageError(`"${text}" is not a number from ${min} to ${max}`);
  };
}

/** NaN for anything but plain decimal digits. */
function decimal(text: string): number {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : NaN;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A duration such as `500ms`, `6s`, `15m`, `1h`, in milliseconds; between the two bounds, given in
 * milliseconds.
 */
export function durationBetween(min: number, max: number): (text: string) => number {
  return amountBetween([min, max], UNIT_MS, formatDuration, 'a duration such as 500ms, 6s, 15m or 1h');
}

/** A number with a unit, as a multiple of the smallest; `what` is what it should have been. */
function amountBetween(
  [min, max]: readonly [min: number, max: number],
  units: Readonly<Record<string, number>>,
  format: (amount: number) => string,
  what: string,
): (text: string) => number {
  return (text) => {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]+)$/.exec(text) ?? [];
    const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
    if (size === undefined) throw new UsageError(`"${text}" is not ${what}`);
    const amount = Number(number) * size;
    if (amount < min || amount > max) {
      throw new UsageError(`"${text}" is not between ${format(min)} and ${format(max)}`);
    }
    return amount;
  };
}

/** The shortest exact spelling: 900000 → `15m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const size = UNIT_MS[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A size such as `512K`, `64M` or `1G`, in bytes; between the two bounds, given in bytes. */
export function sizeBetween(min: number, max: number): (text: string) => number {
  const read = amountBetween([min, max], UNIT_BYTES, formatSize, 'a size such as 512K, 64M or 1G');
  return (text) => Math.round(read(text));
}

/** The shortest exact spelling: 67108864 → `64M`. */
export function formatSize(bytes: number): string {
  for (const unit of ['G', 'M', 'K']) {
    const size = UNIT_BYTES[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}

export function prefix(text: string): IpPrefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new UsageError(`"${text}" is not an address or network such as 192.0.2.0/24`);
  return parsed;
}

/** A prefix under which a translator puts IPv4 addresses: RFC 6052 §2.2. */
export function nat64Prefix(text: string): IpPrefix {
  const parsed = prefix(text);
  if (parsed.address.family !== 6 || !NAT64_LENGTHS.includes(parsed.length))
    throw new UsageError(`"${text}" is not an IPv6 prefix of ${NAT64_LENGTHS.join(', ')} bits`);
  return parsed;
}

export function address(text: string): IpAddress {
  const parsed = parseIp(text);
  if (parsed === null) throw new UsageError(`"${text}" is not an IP address`);
  return parsed;
}

/** The address at which a program that watches us reaches us. */
export interface HttpAddress {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  /** Only this host can reach it. */
  readonly loopback: boolean;
}

/** `ADDRESS:PORT` or `[ADDRESS]:PORT`; port 0 is for the system to choose. `localhost` is 127.0.0.1. */
export function httpAddress(text: string): HttpAddress {
  const [, six, four = '', port = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const ip = parseIp(six ?? (four === 'localhost' ? '127.0.0.1' : four));
  if (ip === null || Number(port) > 65_535) {
    throw new UsageError(`"${text}" is not an address and a port such as 127.0.0.1:9892 or [::1]:9892`);
  }
  return { host: ip.text, port: Number(port), loopback: isLoopback(ip) };
}

/** A domain name in any script, made canonical. */
export function domainName(text: string): string {
  const name = writtenName(text);
  if (!isQueryName(name)) throw new UsageError(`"${text}" is not a domain name`);
  return name;
}

/** An address at which mail is always refused. */
export function testAddress(text: string): Mailbox {
  const mailbox = parseMailbox(text);
  if (mailbox.local === '' || !isQueryName(mailbox.domain))
    throw new UsageError(`"${text}" is not an address such as helotest@example.org`);
  if (exemptRecipient(text) !== null)
    throw new UsageError(`mail to ${mailbox.local} is never refused (RFC 5321 §4.5.1): take another address`);
  return mailbox;
}

/**
 * `ID=NUMBER`. Whether the id is known is checked by the policy, once the operator's own checks are loaded.
 */
export function weight(text: string): readonly [id: string, weight: number] {
  const match = /^([a-z0-9-]+)=(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) throw new UsageError(`"${text}" is not a weight such as helo-mismatch=5`);
  return [match[1] ?? '', Number(match[2])];
}

/** `COUNT/TIME`, such as `3/2h`; time in milliseconds. */
export function countAndAge(text: string): { readonly count: number; readonly ageMs: number } {
  const [count = '', age = '', ...more] = text.split('/');
  if (more.length > 0 || age === '')
    throw new UsageError(`"${text}" is not a number and a time such as 3/2h`);
  return { count: integerBetween(1, 1000)(count), ageMs: durationBetween(0, 7 * 86_400_000)(age) };
}

/** `5/3`: a number of messages, and of different days, of which there are no more. */
export function countAndDays(text: string): { readonly messages: number; readonly days: number } {
  const [count = '', days = '', ...more] = text.split('/');
  if (more.length > 0 || days === '') throw new UsageError(`"${text}" is not two numbers such as 5/3`);
  const messages = integerBetween(1, 1000)(count);
  return { messages, days: integerBetween(1, messages)(days) };
}

/** `32/64`: leading bits of an address of IPv4 and of IPv6. One customer has no more than a /24 or a /48. */
export function clientWidth(text: string): { readonly 4: number; readonly 6: number } {
  const [v4 = '', v6 = '', ...more] = text.split('/');
  if (more.length > 0 || v6 === '') throw new UsageError(`"${text}" is not two lengths such as 32/64`);
  return { 4: integerBetween(24, 32)(v4), 6: integerBetween(48, 64)(v6) };
}

/** `STREAM=NUMBER`. */
export function streamWeight(text: string): readonly [stream: Unproved, weight: number] {
  const [stream, value] = ofStream(text, 'failed=3');
  return [stream, numberBetween(0, 1_000_000)(value)];
}

/** `STREAM=COUNT/TIME`. */
export function streamLimit(text: string): readonly [stream: Unproved, limit: StreamLimit] {
  const [stream, value] = ofStream(text, 'unverified=20/1h');
  const [count = '', time = '', ...more] = value.split('/');
  if (more.length > 0 || time === '')
    throw new UsageError(`"${text}" is not a stream, a number and a time such as unverified=20/1h`);
  const ageMs = durationBetween(1000, 86_400_000)(time);
  return [stream, { count: integerBetween(1, 60_000)(count), ageMs, time }];
}

function ofStream(text: string, example: string): readonly [stream: Unproved, value: string] {
  const [, word = '', value = ''] = /^([a-z]+)=(.*)$/.exec(text) ?? [];
  const stream = UNPROVED.find((each) => each === word);
  if (stream === undefined)
    throw new UsageError(`"${text}" is not about ${UNPROVED.join(' or ')}: ${example}`);
  return [stream, value];
}

/** `ID=COUNT/TIME`. Whether the finding can have a ramp is checked by the policy. */
export function ramp(text: string): readonly [id: string, ramp: ReturnType<typeof countAndAge>] {
  const [, id, value] = /^([a-z0-9-]+)=(.*)$/.exec(text) ?? [];
  if (id === undefined || value === undefined)
    throw new UsageError(`"${text}" is not a ramp such as iprev-none=3/2h`);
  return [id, countAndAge(value)];
}

/** Text that goes into replies: printable ASCII, so that it survives every MTA. */
export function replyText(maxLength: number): (text: string) => string {
  return (text) => {
    if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)) {
      throw new UsageError('it must be printable ASCII and not empty');
    }
    if (text.length > maxLength) throw new UsageError(`it must not be longer than ${maxLength} characters`);
    return text;
  };
}

/** A page on the web, as text that goes into replies. */
export function webPage(maxLength: number): (text: string) => string {
  const asText = replyText(maxLength);
  return (text) => {
    if (!/^https?:\/\/[^\s/]/.test(text) || !URL.canParse(text)) {
      throw new UsageError(`"${text}" is not a URL such as https://example.org/helo`);
    }
    return asText(text);
  };
}

/**
 * `ID=TEXT`, a text for replies. Whether the finding exists, and fills what is in braces, is checked
 * elsewhere.
 */
export function template(text: string): readonly [id: string, template: string] {
  const [, id = '', words = ''] = /^([a-z0-9-]+)=(.*)$/s.exec(text) ?? [];
  if (id === '') throw new UsageError(`"${text}" is not a text such as helo-mismatch="{helo} is not yours"`);
  return [id, replyText(300)(words)];
}

/**
 * `ID=CODE`, a reply code of RFC 5321 §4.2 for refusals. Whether the finding exists, and can be refused
 * with it, is checked elsewhere.
 */
export function replyCodeOf(text: string): readonly [id: string, code: number] {
  const [, id = '', code = ''] = /^([a-z0-9-]+)=(\d+)$/.exec(text) ?? [];
  if (id === '') throw new UsageError(`"${text}" is not a reply code such as helo-syntax=504`);
  // The second digit: syntax, information, connections, mail system; 3 and 4 are unspecified (§4.2.1).
  if (!/^[45][0125]\d$/.test(code)) {
    throw new UsageError(`${code} is not a reply code of RFC 5321 for a refusal, such as 450 or 550`);
  }
  return [id, Number(code)];
}

/** Octal file mode such as 0660. */
export function fileMode(text: string): number {
  if (!/^(?:0o?)?[0-7]{3}$/.test(text)) throw new UsageError(`"${text}" is not a mode such as 0660`);
  return parseInt(text.slice(-3), 8);
}

/** A word without blanks, in lower case. */
export function word(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new UsageError(`"${text}" is not one printable word`);
  return text.toLowerCase();
}

/** The name or number of a user or group; whether it exists is checked later. */
export function account(text: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(text)) {
    throw new UsageError(`"${text}" is not the name or number of a user or group`);
  }
  return text;
}

/**
 * A token of RFC 2045 §5.1, in lower case. An authserv-id may also be quoted, but not every reader
 * understands that.
 */
export function token(text: string): string {
  if (!/^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/.test(text)) {
    throw new UsageError(`"${text}" is not a name of letters, digits, dots and hyphens`);
  }
  return text.toLowerCase();
}

export const verbatim = (text: string): string => text;
