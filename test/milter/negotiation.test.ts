import { describe, expect, it } from 'vitest';
import type { Offer } from '../../src/milter/command.ts';
import { SMFIF, SMFIP } from '../../src/milter/constants.ts';
import { encodeAgreement, negotiate, type Wishes } from '../../src/milter/negotiation.ts';
import { ProtocolError } from '../../src/milter/packet.ts';
import type { MilterSession } from '../../src/milter/session.ts';

const NOTHING: Wishes = {
  keep: [],
  noReply: [],
  actions: [],
  macros: {},
  rejectedRecipients: false,
  leadingSpace: false,
};
const TODAY: Offer = { version: 6, actions: 0x1ff, protocol: 0x1fffff };
const all: MilterSession = {
  connect: () => 'continue',
  helo: () => 'continue',
  mail: () => 'continue',
  rcpt: () => 'continue',
  data: () => 'continue',
  unknown: () => 'continue',
  header: () => 'continue',
  endOfHeaders: () => 'continue',
  body: () => 'continue',
  endOfMessage: () => 'continue',
};
const NO_EVENT = 0x37f;

describe('negotiate', () => {
  it.each<
    [string, Offer, MilterSession, Partial<Wishes>, { version: number; actions: number; protocol: number }]
  >([
    [
      'declines every event without a callback',
      TODAY,
      {},
      {},
      { version: 6, actions: 0, protocol: NO_EVENT },
    ],
    [
      'declines nothing where all are wanted',
      TODAY,
      all,
      {},
      { version: 6, actions: 0, protocol: SMFIP.SKIP },
    ],
    [
      'keeps an event on demand',
      TODAY,
      {},
      { keep: ['data'] },
      { version: 6, actions: 0, protocol: NO_EVENT & ~SMFIP.NODATA },
    ],
    [
      'leaves events unanswered on demand',
      TODAY,
      all,
      { noReply: ['connect'] },
      { version: 6, actions: 0, protocol: SMFIP.SKIP | SMFIP.NR_CONN },
    ],
    [
      'asks for actions',
      TODAY,
      all,
      { actions: ['addHeaders', 'quarantine'] },
      { version: 6, actions: 0x21, protocol: SMFIP.SKIP },
    ],
    [
      'asks for lists of macros',
      TODAY,
      all,
      { macros: { helo: [] } },
      { version: 6, actions: SMFIF.SETSYMLIST, protocol: SMFIP.SKIP },
    ],
    [
      'asks for rejected recipients and leading spaces',
      TODAY,
      all,
      { rejectedRecipients: true, leadingSpace: true },
      { version: 6, actions: 0, protocol: 0x100c00 },
    ],
    [
      'speaks 2 where that is offered',
      { version: 2, actions: 0x3f, protocol: 0x7f },
      {},
      { macros: { helo: [] } },
      { version: 2, actions: 0, protocol: 0x7f },
    ],
    [
      'speaks 4 where that is offered',
      { version: 4, actions: 0x3f, protocol: 0x3ff },
      {},
      {},
      { version: 4, actions: 0, protocol: NO_EVENT },
    ],
    [
      'speaks 6 to a later version',
      { ...TODAY, version: 7 },
      all,
      {},
      { version: 6, actions: 0, protocol: SMFIP.SKIP },
    ],
    [
      'never asks for more than is offered',
      { version: 6, actions: 0, protocol: 0 },
      {},
      { actions: ['addHeaders'], noReply: ['helo'] },
      { version: 6, actions: 0, protocol: 0 },
    ],
  ])('%s', (_, offer, session, wishes, agreement) => {
    expect(negotiate(offer, session, { ...NOTHING, ...wishes }).agreement).toEqual(agreement);
  });

  it('keeps its last answer, for the same offer and the same session only', () => {
    const first = negotiate(TODAY, all, NOTHING);
    expect(negotiate({ ...TODAY }, { ...all }, NOTHING)).toBe(first);
    expect(negotiate({ ...TODAY, protocol: 0 }, all, NOTHING).agreement.protocol).toBe(0);
    expect(negotiate(TODAY, {}, NOTHING).agreement.protocol).toBe(NO_EVENT);
    expect(negotiate(TODAY, all, { ...NOTHING, noReply: ['helo'] }).agreement.protocol).toBe(
      SMFIP.SKIP | SMFIP.NR_HELO,
    );
    expect(negotiate(TODAY, all, NOTHING)).toEqual(first);
  });

  it.each([0, 1])('refuses version %i', (version) => {
    expect(() => negotiate({ ...TODAY, version }, {}, NOTHING)).toThrow(ProtocolError);
  });
});

describe('encodeAgreement', () => {
  const agreed = { version: 6, actions: SMFIF.SETSYMLIST, protocol: 0x37f };
  const plain = '0000000d4f00000006';

  it('writes twelve bytes', () => {
    const bytes = encodeAgreement({ ...agreed, actions: 1 }, { connect: ['j'] });
    expect(bytes.toString('hex')).toBe(`${plain}000000010000037f`);
  });

  it('appends the lists of macros where that was agreed', () => {
    const bytes = encodeAgreement(agreed, { connect: ['j', '{daemon_name}'], helo: [] });
    expect(bytes.subarray(17).toString('latin1')).toBe('\0\0\0\0j {daemon_name}\0\0\0\0\x01\0');
  });

  it('gives a list for the end of headers with that for the end of the message, which Sendmail needs', () => {
    const bytes = encodeAgreement(agreed, { endOfMessage: ['i'] });
    expect(bytes.subarray(17).toString('latin1')).toBe('\0\0\0\x05i\0\0\0\0\x06\0');
  });
});
