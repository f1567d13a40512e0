import { expect, it } from 'vitest';
import { sharedWords, storeAddress, storePrefix } from '../../src/config/store-address.ts';

const tcp = (host: string, port: number): object => ({ kind: 'tcp', host, port });

it.each<[string, object]>([
  ['redis://store', { place: tcp('store', 6379), tls: false, user: null, database: 0 }],
  ['redis://helo@10.0.0.1:7000/3', { place: tcp('10.0.0.1', 7000), user: 'helo', database: 3 }],
  ['rediss://a%40b@[2001:db8::1]', { place: tcp('2001:db8::1', 6379), tls: true, user: 'a@b' }],
  ['unix:/run/redis/redis.sock', { place: { kind: 'unix', path: '/run/redis/redis.sock' }, tls: false }],
  ['unix:///run/r.sock', { place: { kind: 'unix', path: '/run/r.sock' }, user: null, database: 0 }],
  [
    'unix://a%40b@/run/r.sock?db=3',
    { place: { kind: 'unix', path: '/run/r.sock' }, user: 'a@b', database: 3 },
  ],
  ['unix:/run/a@b.sock?db=1', { place: { kind: 'unix', path: '/run/a@b.sock' }, user: null, database: 1 }],
  [
    'rediss+sentinel://a,b:1,[::1]:2/main/1',
    {
      place: {
        kind: 'sentinel',
        name: 'main',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
      tls: true,
      database: 1,
    },
  ],
])('%s', (text, address) => {
  expect(storeAddress(text)).toMatchObject({ ...address, text });
});

it.each([
  '',
  'store:6379',
  'http://store',
  'redis://',
  'redis://a,b',
  'redis://a:0',
  'redis://a:65536',
  'redis://a/b',
  'redis://a/1/2',
  'redis://a?x=1',
  'redis+sentinel://a',
  'redis+sentinel://a,/main',
  'unix:relative',
  'unix://relative',
  'unix://helo@relative',
  'unix:////run/r.sock',
  'unix:/run/r.sock?db=x',
  'unix:/run/r.sock?db=',
  'unix:/run/r.sock?db=1&password=x',
  'redis://%zz@a',
])('refuses %j', (text) => {
  expect(() => storeAddress(text)).toThrow(/./);
});

it.each([
  'redis://u:geheim@host',
  'redis://:geheim@host',
  'redis://u:geheim@host/a/b',
  'x://u:geheim@h',
  'unix://u:geheim@/run/r.sock',
])('refuses %s without repeating its password', (text) => {
  expect(() => storeAddress(text)).toThrow(/^(?!.*geheim)/);
});

it('reads what is shared, and how names begin', () => {
  expect(sharedWords('churn, budgets')).toEqual(['budgets', 'churn']);
  expect(() => sharedWords('budget')).toThrow('"budget" is none of budgets');
  expect(storePrefix('mx:1')).toBe('mx:1');
  for (const text of ['', 'a b', 'a*', 'ä', 'x'.repeat(41)]) expect(() => storePrefix(text)).toThrow(/./);
});
