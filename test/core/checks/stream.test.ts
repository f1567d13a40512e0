import { expect, it } from 'vitest';
import {
  isOfStream,
  streamFinding,
  streamFindings,
  streamId,
  streamLimitFinding,
  UNPROVED,
} from '../../../src/core/checks/stream.ts';
import { makeClient } from '../../../src/core/client.ts';

it.each(UNPROVED)('%s is a finding of its own', (stream) => {
  const { id, evidence } = streamFinding(stream, makeClient('192.0.2.1', 'a.org'));
  expect([id, streamId(stream), evidence]).toEqual([`stream-${stream}`, id, { helo: 'a.org' }]);
});

it.each([
  ['192.0.2.1', true, '[192.0.2.1]'],
  ['2001:db8::1', true, '[IPv6:2001:db8::1]'],
  ['192.0.2.1', false, undefined],
  [null, true, undefined],
])('%s beyond a limit may opt out (%s): %s', (ip, mayOptOut, literal) => {
  const client = makeClient(ip, 'a.org');
  const limit = { count: 3, time: '1h' };
  expect(streamLimitFinding(client, limit, mayOptOut)).toEqual({
    id: 'stream-limit',
    evidence: { helo: 'a.org', count: '3', time: '1h', ...(literal === undefined ? {} : { literal }) },
  });
});

it('knows its own findings: stream-unverified, stream-failed and stream-limit', () => {
  expect(Object.keys(streamFindings).every((id) => isOfStream({ id }))).toBe(true);
  expect(isOfStream({ id: 'helo-mismatch' })).toBe(false);
});
