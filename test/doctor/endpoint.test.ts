import { describe, expect, it } from 'vitest';
import {
  dialledByPostfix,
  dialledBySendmail,
  leadsTo,
  socketForPostfix,
  socketForSendmail,
} from '../../src/doctor/endpoint.ts';
import { parseSocketAddress } from '../../src/milter/index.ts';

const listen = parseSocketAddress;

describe('leadsTo', () => {
  it.each([
    ['inet:127.0.0.1:8892', 'inet:127.0.0.1:8892', 'yes'],
    ['inet:localhost:8892', 'inet:127.0.0.1:8892', 'yes'],
    ['inet:localhost:8892', 'inet:[::1]:8892', 'yes'],
    ['inet:LocalHost:8892', 'inet:localhost:8892', 'yes'],
    ['inet:127.0.0.1:8892', 'inet:localhost:8892', 'yes'],
    ['inet:[0:0:0:0:0:0:0:1]:8892', 'inet:[::1]:8892', 'yes'],
    ['inet:192.0.2.1:8892', 'inet:0.0.0.0:8892', 'yes'],
    ['inet:[::1]:8892', 'inet:0.0.0.0:8892', 'no'],
    ['inet:127.0.0.1:8892', 'inet:[::]:8892', 'yes'],
    ['inet:milter.a.org:8892', 'inet:0.0.0.0:8892', 'yes'],
    ['inet:192.0.2.1:8892', 'inet:127.0.0.1:8892', 'no'],
    ['inet:192.0.2.1:8892', 'inet:localhost:8892', 'no'],
    ['inet:127.0.0.1:8891', 'inet:127.0.0.1:8892', 'no'],
    ['inet:127.0.0.1:8892', 'unix:/run/socket', 'no'],
    ['unix:/run/socket', 'inet:127.0.0.1:8892', 'no'],
    ['unix:/run//socket', 'unix:/run/socket', 'yes'],
    ['unix:/run/socket', 'fd:3', 'unknown'],
    ['inet:127.0.0.1:8892', 'inet:127.0.0.1:0', 'unknown'],
    ['nonsense', 'inet:127.0.0.1:8892', 'no'],
  ])('%s to %s: %s', (socket, text, wanted) => {
    expect(leadsTo(dialledByPostfix(socket, '/queue', false), listen(text))).toBe(wanted);
  });

  it.each([
    ['unix:helo/socket', true, '/queue/helo/socket'],
    ['unix:helo/socket', false, '/queue/helo/socket'],
    ['unix:/helo/socket', true, '/queue/helo/socket'],
    ['unix:/helo/socket', false, '/helo/socket'],
    ['unix:/helo/socket', null, '/queue/helo/socket'],
    ['unix:/helo/socket', null, '/helo/socket'],
  ])('%s, chrooted %s, is %s', (socket, chrooted, path) => {
    expect(leadsTo(dialledByPostfix(socket, '/queue', chrooted), listen(`unix:${path}`))).toBe('yes');
  });

  it.each([
    ['inet:8892@127.0.0.1', 'inet:127.0.0.1:8892', 'yes'],
    ['inet6:8892@::1', 'inet:[::1]:8892', 'yes'],
    ['inet:8892@localhost', 'inet:127.0.0.1:8892', 'yes'],
    ['local:/run/socket', 'unix:/run/socket', 'yes'],
    ['/run/socket', 'unix:/run/socket', 'yes'],
    ['local:relative', 'unix:/run/socket', 'no'],
  ])('Sendmail: %s to %s: %s', (socket, text, wanted) => {
    expect(leadsTo(dialledBySendmail(socket), listen(text))).toBe(wanted);
  });
});

it.each([
  ['inet:0.0.0.0:8892', null, 'inet:127.0.0.1:8892', 'inet:8892@127.0.0.1'],
  ['inet:[::]:8892', null, 'inet:[::1]:8892', 'inet6:8892@::1'],
  ['unix:/queue/a/socket', true, 'unix:a/socket', 'local:/queue/a/socket'],
  ['unix:/queue/a/socket', false, 'unix:/queue/a/socket', 'local:/queue/a/socket'],
  ['unix:/run/socket', true, 'unix:/run/socket', 'local:/run/socket'],
  ['fd:3', true, 'SOCKET', 'SOCKET'],
])('%s, chrooted %s, is written %s and %s', (text, chrooted, forPostfix, forSendmail) => {
  expect(socketForPostfix(listen(text), '/queue', chrooted)).toBe(forPostfix);
  expect(socketForSendmail(listen(text))).toBe(forSendmail);
});
