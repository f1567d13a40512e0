/** What an MTA offers at the beginning of a connection (SMFIC_OPTNEG). */
import type { Offer } from './command.ts';
import { MAX_VERSION } from './constants.ts';

/** Version 6 with all actions and all protocol steps, like Postfix 3.7 and Sendmail 8.17. */
export const FULL_OFFER: Offer = { version: MAX_VERSION, actions: 0x1ff, protocol: 0x1fffff };

export function encodeOffer({ version, actions, protocol }: Offer): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt32BE(version, 0);
  data.writeUInt32BE(actions, 4);
  data.writeUInt32BE(protocol, 8);
  return data;
}
