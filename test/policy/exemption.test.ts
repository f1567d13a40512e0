import { describe, expect, it } from 'vitest';
import { type IpPrefix, parseIp, parsePrefix } from '../../src/core/ip.ts';
import {
  exemptAddress,
  exemptClient,
  type Exemption,
  EXEMPTIONS,
  exemptRecipient,
  exemptSender,
  isExemption,
  isOnPipe,
  isToldByMta,
  mayBeDelayed,
} from '../../src/policy/exemption.ts';

type Macros = Readonly<Record<string, string>>;

const told = (macros: Macros): { macro: (name: string) => string | undefined } => ({
  macro: (name) => macros[name],
});
const OPTIONS = {
  trusted: [parsePrefix('192.0.2.0/24') ?? expect.fail()],
  exemptDaemons: ['submission', '587'],
};

describe('exemptClient', () => {
  it.each<[string, string, string | null, Macros, string | null]>([
    ['inet', 'mail.sender.org', '198.51.100.7', {}, null],
    ['inet', 'mail.sender.org', '192.0.2.200', {}, 'trusted'],
    ['inet', 'localhost', '127.0.0.1', {}, 'loopback'],
    ['inet6', 'localhost', '::1', {}, 'loopback'],
    ['inet', 'mail.sender.org', '198.51.100.7', { daemon_name: 'Submission' }, 'service'],
    ['inet', 'mail.sender.org', '198.51.100.7', { daemon_port: '587' }, 'service'],
    ['inet', 'mail.sender.org', '198.51.100.7', { daemon_name: 'smtp', daemon_port: '25' }, null],
    ['inet', 'localhost', '127.0.0.1', { daemon_port: '587' }, 'service'],
    ['unix', 'localhost', null, {}, 'local'],
    ['unknown', 'localhost', null, { _: 'root@localhost' }, 'local'],
    ['unknown', 'localhost', null, {}, null],
    ['unknown', 'unknown', null, { daemon_port: '587' }, 'service'],
  ])('%s %s %s, macros %j: %s', (family, hostname, address, macros, wanted) => {
    const ip = address === null ? null : parseIp(address);
    expect(exemptClient({ family, hostname }, ip, told(macros), OPTIONS)).toBe(wanted);
  });
});

describe('isOnPipe', () => {
  it.each<[string, string, string | undefined, boolean]>([
    ['unknown', 'localhost', 'alice@localhost', true],
    ['unknown', 'localhost', 'localhost [127.0.0.1]', true],
    ['unknown', 'localhost', 'localhost [::1]', true],
    ['unknown', 'localhost', 'localhost [unknown]', false],
    ['unknown', 'localhost', '[203.0.113.9]', false],
    ['unknown', 'localhost', '[203.0.113.9] alice@localhost', false],
    ['unknown', 'localhost', 'alice@localhost [203.0.113.9]', false],
    ['unknown', 'localhost', '', false],
    ['unknown', 'localhost', undefined, false],
    ['unknown', 'mail.sender.org', 'alice@localhost', false],
    ['inet', 'localhost', 'alice@localhost', false],
  ])('%s %s, {_} %j: %s', (family, hostname, ident, wanted) => {
    const macros = told(ident === undefined ? {} : { _: ident });
    expect(isOnPipe({ family, hostname }, macros)).toBe(wanted);
  });
});

describe('exemptSender', () => {
  it.each<[Macros, string | null]>([
    [{}, null],
    [{ auth_authen: '' }, null],
    [{ auth_authen: 'bob' }, 'authenticated'],
    [{ cert_subject: 'CN=mail' }, 'certificate'],
    [{ cert_subject: 'CN=mail', verify: 'OK' }, 'certificate'],
    [{ cert_subject: 'CN=mail', verify: 'FAIL' }, null],
    [{ cert_subject: '', verify: 'OK' }, null],
    [{ auth_authen: 'bob', daemon_port: '587' }, 'service'],
  ])('%j: %s', (macros, wanted) => {
    expect(exemptSender(told(macros), OPTIONS)).toBe(wanted);
  });
});

it.each([
  ['postmaster', 'postmaster'],
  ['Postmaster@dest.test', 'postmaster'],
  ['"postmaster"@dest.test', 'postmaster'],
  ['ABUSE@sub.dest.test', 'abuse'],
  ['postmasters@dest.test', null],
  ['user@postmaster.test', null],
  ['', null],
])('exemptRecipient %j: %s', (address, wanted) => {
  expect(exemptRecipient(address)).toBe(wanted);
});

it('knows its own words and no others', () => {
  expect(Object.keys(EXEMPTIONS).every(isExemption)).toBe(true);
  expect(['', 'accept', 'toString', '__proto__', null, 1].some(isExemption)).toBe(false);
});

it.each([
  ['192.0.2.9', 'trusted'],
  ['127.0.0.1', 'loopback'],
  ['198.51.100.7', null],
  // Behind our NAT64.
  ['64:ff9b::192.0.2.9', 'trusted'],
  ['64:ff9b::198.51.100.7', null],
  // Named as the MTA sees it.
  ['64:ff9b:0:1::1', 'trusted'],
  ['2001:db8::192.0.2.9', null],
])('exemptAddress %s: %s', (address, wanted) => {
  const prefix = (text: string): IpPrefix => parsePrefix(text) ?? expect.fail(text);
  const options = {
    trusted: [...OPTIONS.trusted, prefix('64:ff9b:0:1::/64')],
    nat64: [prefix('64:ff9b::/96')],
  };
  expect(exemptAddress(parseIp(address) ?? expect.fail(), options)).toBe(wanted);
});

it.each<[Exemption | null, boolean, boolean]>([
  [null, true, false],
  ['tempfail-limit', true, false],
  ['access', false, false],
  ['trusted', false, false],
  ['authenticated', false, true],
  ['certificate', false, true],
  ['service', false, true],
  ['local', false, true],
])('%s may be delayed: %s; is told by the MTA: %s', (exempt, delayed, told) => {
  expect([mayBeDelayed(exempt), isToldByMta(exempt)]).toEqual([delayed, told]);
});
