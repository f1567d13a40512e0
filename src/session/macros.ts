/** Which macros the callbacks read, and when they ask the MTA for them. */
import type { MacroStage } from '../milter/index.ts';
import type { Stage } from '../policy/rules.ts';

const SERVICE_MACROS = ['j', '_', '{daemon_name}', '{daemon_addr}', '{daemon_port}', '{if_addr}'] as const;

/**
 * The macros that the callbacks read, to be asked for at negotiation. Everything is asked for at MAIL, the
 * first command at which anything is decided: Sendmail sends the macros of each stage in a separate packet,
 * and over TCP each such packet costs a wait of 40 ms for an acknowledgement. Postfix takes an empty list as
 * a request for its default.
 */
export function macrosFor(applyAt: Stage): Readonly<Record<MacroStage, readonly string[]>> {
  const early = applyAt === 'helo';
  return {
    connect: early ? SERVICE_MACROS : [],
    helo: early ? ['{cert_subject}', '{verify}'] : [],
    mail: [...(early ? [] : SERVICE_MACROS), '{cert_subject}', '{verify}', 'i', '{auth_authen}'],
    rcpt: [],
    data: [],
    endOfHeaders: [],
    endOfMessage: [],
  };
}
