/**
 * A scripted name server on loopback, over UDP and TCP: real packets, and every kind of trouble on demand.
 * Resolvers have to survive what no real server does on request: silence, wrong ids, truncation without TCP.
 */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { framed, startRawDns } from './raw-dns.ts';

/**
 * One script: records to answer with (an empty list is nodata; the owner `*` is the name asked for), or the
 * way to fail.
 */
export type Script =
  | readonly Answer[]
  | 'nxdomain'
  | 'servfail'
  | 'refused'
  | 'notimp'
  | 'silence'
  | 'wrong-id'
  | 'garbage'
  | { readonly delayMs: number; readonly then: Script }
  /** Truncated over UDP; over TCP the script given, or `no-tcp` for a connection that is closed at once. */
  | { readonly truncated: Script | 'no-tcp' };

export interface DnsStub {
  /** As `--dns-server` wants it. */
  readonly server: string;
  /** Every question that arrived, as `name TYPE`, with ` tcp` at the end if it came over TCP. */
  readonly questions: string[];
  /** Replaces the scripts; keys are `name TYPE`, `name` or `*`. */
  script(table: Readonly<Record<string, Script>>): void;
  close(): Promise<void>;
}

const RCODE = { nxdomain: 3, servfail: 2, refused: 5, notimp: 4 } as const;

export async function startDnsStub(table: Readonly<Record<string, Script>> = {}): Promise<DnsStub> {
  let scripts = table;
  const questions: string[] = [];
  const server = await startRawDns(({ query, via }, reply, socket) => {
    const script = read(query, via === 'tcp' ? ' tcp' : '');
    const truncated = typeof script === 'object' && 'truncated' in script;
    const over = via === 'tcp' && truncated ? script.truncated : script;
    if (over === 'no-tcp') socket?.destroy();
    else
      answer(over, query, (bytes) => {
        reply(via === 'tcp' ? framed(bytes) : bytes);
      });
  });

  function read(bytes: Buffer, suffix: string): Script {
    const [question] = decode(bytes).questions ?? [];
    const name = (question?.name ?? '').toLowerCase();
    const key = `${name} ${question?.type ?? ''}`;
    questions.push(key + suffix);
    return scripts[key] ?? scripts[name] ?? scripts['*'] ?? 'nxdomain';
  }

  function answer(script: Script, request: Buffer, send: (bytes: Buffer) => void): void {
    if (script === 'silence') return;
    if (typeof script === 'object' && 'delayMs' in script) {
      setTimeout(() => {
        answer(script.then, request, send);
      }, script.delayMs).unref();
      return;
    }
    if (script === 'garbage') {
      send(Buffer.from('this is no DNS packet'));
      return;
    }
    const { id, questions: asked } = decode(request);
    const reply: Packet = {
      type: 'response',
      id: id ?? 0,
      flags: AUTHORITATIVE_ANSWER,
      questions: asked ?? [],
      answers: [],
    };
    if (script === 'wrong-id') reply.id = ((id ?? 0) + 1) & 0xffff;
    else if (typeof script === 'string') reply.flags = AUTHORITATIVE_ANSWER | RCODE[script];
    else if ('truncated' in script) reply.flags = AUTHORITATIVE_ANSWER | TRUNCATED_RESPONSE;
    else {
      reply.answers = script.map((each) =>
        each.name === '*' ? { ...each, name: asked?.[0]?.name ?? '' } : each,
      );
    }
    send(encode(reply));
  }

  return {
    server: server.server,
    questions,
    script: (next) => {
      scripts = next;
    },
    close: () => server.close(),
  };
}
