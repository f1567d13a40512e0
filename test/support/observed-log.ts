/** The decision log of a service that only watches, without sockets. */
import type { Decision } from '../../src/decisions/decision.ts';
import { decisionRecord } from '../../src/decisions/record.ts';
import type { Resolver } from '../../src/core/resolver.ts';
import type { Rules } from '../../src/policy/rules.ts';
import * as mta from './mta.ts';
import { hello, RULES, service, ZONE } from './service.ts';
import { zoneResolver } from './zone.ts';

export interface Sent {
  readonly client?: string;
  readonly helo: string;
  /** Unix time in milliseconds. */
  readonly time: number;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly login?: boolean;
  /** The client gives up before the message. */
  readonly aborted?: boolean;
}

/** Its lines, one for each decision, in the order in which the messages are sent. */
export async function observedLog(
  messages: readonly Sent[],
  resolver: Resolver = zoneResolver(ZONE),
  rules: Partial<Rules> = {},
): Promise<string[]> {
  const lines: string[] = [];
  let time = 0;
  const { connection } = service({
    resolver,
    rules: { ...rules, enforcement: { ...RULES.enforcement, observe: true } },
    now: () => time,
    wallClock: () => time,
    authResults: { authservId: 'mx.dest.org', forged: 'ours' },
    decided: (decision: Decision) => lines.push(decisionRecord(decision, new Date(time).toISOString(), null)),
  });
  for (const message of messages) {
    const { client, helo, from = 's@sender.org', to = ['r@dest.test'], login = false } = message;
    time = message.time;
    const { say } = connection();
    await say(...hello(helo, client));
    await say(mta.macros('M', { ...(login ? { '{auth_authen}': 'bob' } : {}) }), mta.mail(from));
    await say(...to.map((each) => mta.rcpt(each)));
    await say(...(message.aborted === true ? [mta.abort] : [mta.data, mta.endOfHeaders, mta.endOfMessage]));
  }
  return lines;
}
