import { describe, expect, it } from 'vitest';
import {
  canonicalName,
  isAskable,
  isPublicSuffix,
  isQueryName,
  isWithin,
  organisation,
  registrableDomain,
  selfAndParents,
} from '../../src/core/domain.ts';

describe('isQueryName', () => {
  it.each([
    'a',
    'mail.example.org',
    '_dmarc.example.org',
    'a_b.c',
    '1.2.0.192.in-addr.arpa',
    '0/25.2.0.192'.replace('/', '-'),
    'x'.repeat(63),
    `${`${'x'.repeat(61)}.`.repeat(4)}abcde`,
    // Not host names, but possible in DNS (RFC 2181 §11).
    '-a.org',
    'a-.org',
  ])('lets %j through', (name) => {
    expect(isQueryName(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a\0b',
    'a\\.b',
    'a\\b',
    'a\\\\\\.b',
    'a\\046b',
    `${'\\\\'.repeat(64)}.org`,
    'a\nb',
    'é.org',
    'x'.repeat(64),
    `${'a.'.repeat(127)}b`,
    '*.org',
    'a/b',
  ])('stops %j', (name) => {
    expect(isQueryName(name)).toBe(false);
  });
});

describe('isAskable', () => {
  it.each([
    'mail.example.org',
    'xn--a.example.org',
    'user@example.org',
    'a+b/c.example.org',
    '-edge-.example.org',
    '*.example.org',
    'macro%percent  space.example.org',
    'back\\\\slash.example.org',
    `${'\\\\'.repeat(63)}.org`,
    'x'.repeat(63),
  ])('lets %j through', (name) => {
    expect(isAskable(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a\0b',
    'a\\.b',
    'a\nb',
    'é.org',
    'a\x7fb',
    'x'.repeat(64),
    `${'a.'.repeat(127)}b`,
  ])('stops %j', (name) => {
    expect(isAskable(name)).toBe(false);
  });
});

describe('canonicalName', () => {
  it.each([
    ['Mail.Example.ORG.', 'mail.example.org'],
    ['a', 'a'],
    ['.', ''],
  ])('of %s is %s', (name, wanted) => {
    expect(canonicalName(name)).toBe(wanted);
  });
});

describe('who registered a name', () => {
  it.each([
    ['mail.example.org', 'example.org', 'example.org'],
    ['a.b.example.co.uk', 'example.co.uk', 'example.co.uk'],
    ['example.org', 'example.org', 'example.org'],
    ['co.uk', null, null],
    ['org', null, null],
    // Customers of a private suffix are strangers to each other, but the suffix itself was registered.
    ['a.github.io', 'github.io', 'a.github.io'],
    ['x.a.github.io', 'github.io', 'a.github.io'],
    ['github.io', 'github.io', 'github.io'],
    ['host.unlisted-tld', 'host.unlisted-tld', 'host.unlisted-tld'],
  ])('%s: registrable %j, organisation %j', (name, registrable, owner) => {
    expect(registrableDomain(name)).toBe(registrable);
    expect(organisation(name)).toBe(owner);
  });

  it.each([
    ['co.uk', true],
    ['com', true],
    ['github.io', false],
    ['example.com', false],
    ['unlisted-tld', false],
  ])('%s is a public suffix: %s', (name, suffix) => {
    expect(isPublicSuffix(name)).toBe(suffix);
  });
});

describe('isWithin', () => {
  it.each([
    ['a.b.c', 'b.c', true],
    ['b.c', 'b.c', true],
    ['ab.c', 'b.c', false],
    ['c', 'b.c', false],
  ])('%s within %s: %s', (name, ancestor, within) => {
    expect(isWithin(name, ancestor)).toBe(within);
  });
});

describe('selfAndParents', () => {
  it.each([
    ['a.b.c', 'b.c', ['a.b.c', 'b.c']],
    ['b.c', 'b.c', ['b.c']],
    ['a.b.c', 'c', ['a.b.c', 'b.c', 'c']],
    ['a.b.c', 'x.y', []],
  ])('from %s to %s', (name, last, names) => {
    expect(selfAndParents(name, last)).toEqual(names);
  });
});
