/** DNS messages byte by byte, so that a test can send what no library would write. */

/** A name as labels of text, one character an octet. */
export function labels(...texts: readonly string[]): Buffer {
  return Buffer.concat([
    ...texts.map((text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])),
    Buffer.from([0]),
  ]);
}

/** `mail.example.org` as labels; no escapes. */
export function wireName(name: string): Buffer {
  return name === '' ? Buffer.from([0]) : labels(...name.split('.'));
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);

/** One resource record. */
export function rr(
  owner: Buffer | string,
  type: number,
  data: Buffer,
  { ttl = 300, klass = 1 } = {},
): Buffer {
  return Buffer.concat([
    typeof owner === 'string' ? wireName(owner) : owner,
    u16(type),
    u16(klass),
    u32(ttl),
    u16(data.length),
    data,
  ]);
}

export const a = (owner: Buffer | string, address: string, ttl = 300): Buffer =>
  rr(owner, 1, Buffer.from(address.split('.').map(Number)), { ttl });
export const cname = (owner: Buffer | string, target: string, ttl = 300): Buffer =>
  rr(owner, 5, wireName(target), { ttl });
export const soa = (owner: string, ttl: number, minimum: number): Buffer =>
  rr(
    owner,
    6,
    Buffer.concat([
      wireName(`ns.${owner}`),
      wireName(`hostmaster.${owner}`),
      u32(1),
      u32(2),
      u32(3),
      u32(4),
      u32(minimum),
    ]),
    {
      ttl,
    },
  );

/** The pseudo record of EDNS with options; `rcode` is its upper eight bits. */
export function opt(options: readonly (readonly [code: number, data: Buffer])[], rcode = 0): Buffer {
  const data = Buffer.concat(options.flatMap(([code, bytes]) => [u16(code), u16(bytes.length), bytes]));
  return Buffer.concat([Buffer.from([0]), u16(41), u16(1232), u32(rcode << 24), u16(data.length), data]);
}

/** An extended error as an option of EDNS (RFC 8914). */
export function extendedError(code: number, text: string): readonly [number, Buffer] {
  return [15, Buffer.concat([u16(code), Buffer.from(text)])];
}

export interface Parts {
  readonly id?: number;
  readonly flags?: number;
  readonly question?: Buffer | null;
  readonly answers?: readonly Buffer[];
  readonly authorities?: readonly Buffer[];
  readonly additionals?: readonly Buffer[];
  /** Replaces the true numbers of questions, answers, authorities and additionals. */
  readonly counts?: readonly [number, number, number, number];
}

export const question = (name: Buffer | string, type: number, klass = 1): Buffer =>
  Buffer.concat([typeof name === 'string' ? wireName(name) : name, u16(type), u16(klass)]);

/** A whole message; by default its flags are those of a recursive answer. */
export function message(parts: Parts): Buffer {
  const { id = 0, flags = 0x8180, answers = [], authorities = [], additionals = [] } = parts;
  const asked = parts.question ?? null;
  const counts = parts.counts ?? [
    asked === null ? 0 : 1,
    answers.length,
    authorities.length,
    additionals.length,
  ];
  return Buffer.concat([
    u16(id),
    u16(flags),
    ...counts.map(u16),
    ...(asked === null ? [] : [asked]),
    ...answers,
    ...authorities,
    ...additionals,
  ]);
}

/** The question section of a query, in its bytes. */
export function questionOf(query: Buffer): Buffer {
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  return query.subarray(12, end + 5);
}
