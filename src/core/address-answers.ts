/** Addresses out of answers for A and AAAA. */
import { type IpAddress, parseIp } from './ip.ts';
import type { Answer } from './resolver.ts';

export type AddressAnswer = Answer<'A'> | Answer<'AAAA'>;

/** All addresses in the answers, in their order. */
export function addressesOf(...answers: readonly AddressAnswer[]): IpAddress[] {
  return answers
    .flatMap((answer) => (answer.status === 'found' ? answer.records : []))
    .map(parseIp)
    .filter((address) => address !== null);
}

/** Joined by blanks, as in evidence. */
export function addressTexts(addresses: readonly IpAddress[]): string {
  return addresses.map(({ text }) => text).join(' ');
}
