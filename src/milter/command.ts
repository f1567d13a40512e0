/**
 * From packets to commands: reads NULs, families, ports and offers. Text is latin1, one character for each
 * byte, since an MTA passes on what the SMTP client sent.
 */
import { isIP } from 'node:net';
import { SMFIC } from './constants.ts';
import { MAX_SET } from './macros.ts';
import { decodeStrings, type Packet, ProtocolError } from './packet.ts';

/** The SMTP client as the MTA sees it. */
export interface ConnectInfo {
  /** The client's name as the MTA verified it, or `[ADDRESS]`; whatever the MTA sent. */
  readonly hostname: string;
  /** `unknown` if the MTA has no address, or sent one that cannot be read. */
  readonly family: 'inet' | 'inet6' | 'unix' | 'unknown';
  /**
   * The address without Sendmail's `IPv6:` prefix, IPv4-mapped ones as IPv4; the path for `unix`; null for
   * `unknown`.
   */
  readonly address: string | null;
  readonly port: number | null;
}

/** The address of MAIL or RCPT. */
export interface Envelope {
  /** As sent, usually with angle brackets. */
  readonly raw: string;
  /** Without them; empty for the null reverse-path. */
  readonly address: string;
  /** ESMTP parameters, such as `SIZE=1000`. */
  readonly args: readonly string[];
}

/** The numbers of a negotiation (SMFIC_OPTNEG): a version, and bits for actions and for the protocol. */
export interface Offer {
  readonly version: number;
  readonly actions: number;
  readonly protocol: number;
}

export type Command =
  | { readonly type: 'negotiate'; readonly offer: Offer }
  | { readonly type: 'macro'; readonly stage: number; readonly text: string }
  | { readonly type: 'connect'; readonly info: ConnectInfo }
  | { readonly type: 'helo'; readonly name: string }
  | { readonly type: 'mail' | 'rcpt'; readonly envelope: Envelope }
  | { readonly type: 'unknown'; readonly line: string }
  | { readonly type: 'header'; readonly name: string; readonly value: string }
  | { readonly type: 'body' | 'endOfMessage'; readonly chunk: Buffer }
  | { readonly type: 'data' | 'endOfHeaders' | 'abort' | 'quit' | 'quitNewConnection' };

/** Reads a packet from the MTA. Throws ProtocolError if libmilter would close the connection. */
export function decodeCommand({ command, data }: Packet): Command {
  switch (command) {
    case SMFIC.MACRO:
      return {
        type: 'macro',
        stage: mandatory(data, 'MACRO')[0] ?? 0,
        // Cut before it is decoded: a part of a string would keep the whole string in memory.
        text: data.toString('latin1', 1, 1 + MAX_SET),
      };
    case SMFIC.CONNECT:
      return { type: 'connect', info: decodeConnect(mandatory(data, 'CONNECT')) };
    case SMFIC.HELO:
      return { type: 'helo', name: firstString(mandatory(data, 'HELO')) };
    case SMFIC.MAIL:
      return { type: 'mail', envelope: decodeEnvelope(mandatory(data, 'MAIL')) };
    case SMFIC.RCPT:
      return { type: 'rcpt', envelope: decodeEnvelope(mandatory(data, 'RCPT')) };
    case SMFIC.BODYEOB:
      return { type: 'endOfMessage', chunk: data };
    case SMFIC.QUIT:
      return { type: 'quit' };
    case SMFIC.ABORT:
      return { type: 'abort' };
    case SMFIC.OPTNEG:
      return { type: 'negotiate', offer: decodeOffer(data) };
    case SMFIC.DATA:
      return { type: 'data' };
    case SMFIC.HEADER: {
      const [name = '', value = ''] = decodeStrings(mandatory(data, 'HEADER'));
      return { type: 'header', name, value };
    }
    case SMFIC.EOH:
      return { type: 'endOfHeaders' };
    case SMFIC.BODY:
      return { type: 'body', chunk: mandatory(data, 'BODY') };
    case SMFIC.UNKNOWN:
      return { type: 'unknown', line: firstString(mandatory(data, 'UNKNOWN')) };
    case SMFIC.QUIT_NC:
      return { type: 'quitNewConnection' };
    default:
      throw new ProtocolError(`unknown command 0x${command.toString(16).padStart(2, '0')}`);
  }
}

/** libmilter accepts A E N Q T K without data; on any other empty command it closes the connection. */
function mandatory(data: Buffer, name: string): Buffer {
  if (data.length === 0) throw new ProtocolError(`${name} without data`);
  return data;
}

/** Up to the first NUL; a missing NUL is forgiven. */
function firstString(data: Buffer): string {
  const nul = data.indexOf(0);
  return data.toString('latin1', 0, nul === -1 ? data.length : nul);
}

function decodeEnvelope(data: Buffer): Envelope {
  const [raw = '', ...args] = decodeStrings(data);
  const address = raw.startsWith('<') && raw.endsWith('>') ? raw.slice(1, -1) : raw;
  return { raw, address, args };
}

function decodeOffer(data: Buffer): Offer {
  // Both MTAs send exactly twelve bytes; a later version might append.
  if (data.length < 12) throw new ProtocolError(`OPTNEG of ${data.length} bytes`);
  return { version: data.readUInt32BE(0), actions: data.readUInt32BE(4), protocol: data.readUInt32BE(8) };
}

/** An address that cannot be read counts as none, as for family `U`: the session must go on. */
function decodeConnect(data: Buffer): ConnectInfo {
  const nul = data.indexOf(0);
  const hostname = data.toString('latin1', 0, nul === -1 ? data.length : nul);
  const nobody = { hostname, family: 'unknown', address: null, port: null } as const;
  if (nul === -1 || data.length < nul + 4) return nobody;
  const family = String.fromCharCode(data[nul + 1] ?? 0);
  const port = data.readUInt16BE(nul + 2);
  const text = firstString(data.subarray(nul + 4));
  if (family === 'L') return { hostname, family: 'unix', address: text, port: null };
  if (family !== '4' && family !== '6') return nobody;
  const address = plainAddress(text);
  switch (isIP(address)) {
    case 4:
      return { hostname, family: 'inet', address, port };
    case 6:
      return { hostname, family: 'inet6', address, port };
    default:
      return nobody;
  }
}

/**
 * Sendmail writes `IPv6:` before the address and may write IPv4 as mapped. A zone means nothing on other
 * hosts.
 */
function plainAddress(text: string): string {
  const zone = text.indexOf('%');
  const bare = (zone === -1 ? text : text.slice(0, zone)).replace(/^IPv6:/i, '');
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(bare)?.[1] ?? bare;
}
