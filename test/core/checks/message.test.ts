import { expect, it } from 'vitest';
import { forgedResults } from '../../../src/core/checks/message.ts';
import { makeClient } from '../../../src/core/client.ts';

it.each([
  [0, null],
  [201, { helo: 'mail.sender.org', count: '201', name: 'mx.dest.test' }],
])('%d fields that cannot be removed', (count, evidence) => {
  const client = makeClient('198.51.100.7', 'mail.sender.org');
  const { finding } = forgedResults.run(client, { authservId: 'mx.dest.test', forgedResults: count }, 'none');
  expect(finding).toEqual(evidence && { id: 'forged-results', evidence });
});
