/**
 * Whatever reads a stranger's text takes time in proportion to its length: each reader is given eight times
 * as much. A quadratic one would take 64 times as long; the bound is half of that, so that a busy machine
 * does not matter.
 */
import { expect, it } from 'vitest';
import { parseAuthBlock, parseAuthRecord } from '../../src/core/auth-record/index.ts';
import {
  isAskable,
  isPublicSuffix,
  isQueryName,
  organisation,
  registrableDomain,
} from '../../src/core/domain.ts';
import { parseHelo } from '../../src/core/helo.ts';
import { parseIp, parsePrefix } from '../../src/core/ip.ts';
import { keptText } from '../../src/core/kept-text.ts';
import { expand, expandTarget, parseDomainSpec, parseMacroString } from '../../src/core/spf/macro.ts';
import { parseSpfRecord, selectSpfRecords } from '../../src/core/spf/record.ts';

const VALUES = {
  s: 'a@b',
  l: 'a',
  o: 'b.org',
  d: 'b.org',
  i: '192.0.2.1',
  p: 'unknown',
  v: 'in-addr',
  h: 'b.org',
  c: '192.0.2.1',
  r: 'unknown',
  t: '0',
};

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  selectSpfRecords: (text) => selectSpfRecords([text, `v=spf1 ${text}`, text]),
  parseSpfRecord: (text) => parseSpfRecord(`v=spf1 ${text}`),
  parseDomainSpec,
  expandTarget: (text) => expandTarget(parseDomainSpec(text) ?? { text, parts: [] }, VALUES),
  explanation: (text) => expand(parseMacroString(text, 'explanation') ?? [], VALUES),
  parseAuthRecord: (text) => parseAuthRecord(`helo=${text} method=${text}`),
  parseAuthBlock,
  parseIp,
  parsePrefix,
  parseHelo: (text) => [parseHelo(text), parseHelo(`[${text}]`), parseHelo(`[IPv6:${text}`)],
  isQueryName,
  isAskable,
  suffix: (text) => [isPublicSuffix(text), registrableDomain(text), organisation(text)],
  keptText: (text) => keptText(text, 1e9),
};

/** Pieces that texts are made of: each is repeated, and followed by an end that does not fit. */
const PIECES = [
  'a',
  '1',
  '.',
  '-',
  ':',
  '/',
  '//',
  '/1',
  '/1/',
  '=',
  ' ',
  '%',
  '%{',
  '%{i}',
  '%{d1r.-+,/_=}',
  '%{l99999}',
  '.a',
  'a.',
  'a-',
  '-a.',
  '.1',
  '1.1.1.1 ',
  '1.1.1.1,',
  '1-1,',
  'a=',
  'a:',
  'ip4:1.1.1.1 ',
  'a/1 ',
  'mx//1 ',
  'x=%{i} ',
  'helo=A ',
  '::',
  '0',
  '\xff',
  '(',
  ' (',
];
const ENDS = ['', '!', ' ', '\0', '%', '/x'];
/** Eight times as much is the longest text that DNS can carry. */
const LENGTH = 1000;

/** Milliseconds, the least of several tries: whatever else the machine does can only add to them. */
function least(read: (text: string) => unknown, text: string): number {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const before = performance.now();
    read(text);
    best = Math.min(best, performance.now() - before);
  }
  return best;
}

const SLACK_MS = 2;

it.each(Object.entries(READERS))('%s', (_, read) => {
  for (const piece of PIECES) {
    for (const end of ENDS) {
      const text = (length: number): string => piece.repeat(Math.ceil(length / piece.length)) + end;
      const measure = (): [number, number] => [least(read, text(LENGTH)), least(read, text(8 * LENGTH))];
      let [one, eight] = measure();
      // Measured again, since a garbage collection or another process may have interfered.
      for (let again = 0; again < 12 && eight > 32 * one + SLACK_MS; again++) [one, eight] = measure();
      expect(eight, `${JSON.stringify(piece)} ending in ${JSON.stringify(end)}`).toBeLessThan(
        32 * one + SLACK_MS,
      );
    }
  }
});
