import { expect, it } from 'vitest';
import { isUnknown, unknownFinding } from '../../../src/core/checks/unknown.ts';
import { assessed } from '../../support/checked.ts';

it('dns-temperror is told once, however much is unknown', async () => {
  const { findings } = await assessed('203.0.113.8', 'x.broken.org', {
    '8.113.0.203.in-addr.arpa': 'temperror',
    'x.broken.org': 'temperror',
  });
  expect(findings.filter(({ id }) => id === 'dns-temperror')).toHaveLength(1);
});

it('says what was asked and what came of it', () => {
  const finding = unknownFinding('x.broken.org A', 'timeout');
  expect(finding).toEqual({
    id: 'dns-temperror',
    evidence: { question: 'x.broken.org A', detail: 'timeout' },
  });
  expect(isUnknown(finding)).toBe(true);
  expect(['helo-nxdomain', 'toString'].map((id) => isUnknown({ id }))).toEqual([false, false]);
});
