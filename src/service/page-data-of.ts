/** What a page is given to judge with, from the configuration and the files that it names. */
import type { Config } from '../config/config.ts';
import { checks as builtin } from '../core/checks/index.ts';
import { withoutWords } from '../policy/access.ts';
import { parseRecipientRules } from '../policy/recipients.ts';
import type { ReplyOptions } from '../policy/smtp-reply.ts';
import type { AddressMask } from '../report/address-mask.ts';
import { type ForeignCheck, type PageData, pageOptionsOf } from '../report/page-data.ts';
import { namedFile } from '../system/named-file.ts';
import { version } from '../system/version.ts';
import type { Registry } from './registry.ts';

export interface PageSubject {
  readonly config: Config;
  readonly registry: Registry;
  readonly reply: ReplyOptions;
  /** Null if nothing is hidden. */
  readonly mask: AddressMask | null;
}

/** Rejects with UsageError if a file cannot be read. */
export async function pageDataOf(
  { config, registry, reply, mask }: PageSubject,
  told: Pick<PageData, 'made' | 'left' | 'notes'>,
): Promise<PageData> {
  const { access, recipientPolicy } = config;
  const list = access === null ? null : await namedFile('--access', access);
  const recipients =
    recipientPolicy === null
      ? []
      : [...parseRecipientRules(await namedFile('--recipient-policy', recipientPolicy), recipientPolicy)];
  return {
    ...told,
    live: null,
    version,
    options: pageOptionsOf(config),
    access: list === null || mask === null ? list : withoutWords(list),
    recipients: recipients.map(([who, rule]) => [
      who.includes('@') ? (mask?.address(who) ?? who) : who,
      rule,
    ]),
    reply: {
      helpUrl: reply.helpUrl,
      contact: reply.contact,
      templates: [...reply.templates],
      codes: [...(reply.codes ?? [])],
    },
    foreign: registry.checks.filter((check) => !builtin.includes(check)).map(declared),
    masked: mask !== null,
  };
}

/** Without what only Node can run. */
function declared(check: Registry['checks'][number]): ForeignCheck {
  const members = Object.entries(check).filter(([, value]) => typeof value !== 'function');
  return Object.fromEntries(members) as unknown as ForeignCheck;
}
