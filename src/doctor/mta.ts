/** What Postfix and Sendmail have in common, as far as milters are concerned. */
import type { IpPrefix } from '../core/ip.ts';
import type { PostfixConfig } from './postfix-config.ts';

/**
 * Where an MTA connects to; `paths` has several entries if it is not known whether the service is chrooted.
 */
export type Dialled =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string; readonly paths: readonly string[] }
  | { readonly kind: 'unknown' };

/** What the MTA does with a session while the milter is down. */
export type FailureAction =
  'accept' | 'tempfail' | 'shutdown' | 'reject' | 'quarantine' | { readonly unknown: string };

/** One milter in the list of a service. */
export interface Filter {
  /** As written there. */
  readonly text: string;
  /** The part of it that names the socket. */
  readonly socket: string;
  readonly dialled: Dialled;
  readonly onFailure: FailureAction;
  /** Milliseconds. */
  readonly connectMs: number;
  /** Milliseconds for the answer to one command. */
  readonly commandMs: number;
  /** Milliseconds for the answer at the end of the message. */
  readonly contentMs: number;
  /** Version of the milter protocol. */
  readonly protocol: number;
}

/** What a service is for: mail from the world, submission by users, or programs of the same host. */
export type Role = 'inbound' | 'submission' | 'local';

/** A list of milters as it is written in its setting. */
export interface FilterList {
  readonly setting: string;
  /** What stands before and after the items. */
  readonly opening: string;
  readonly closing: string;
  /** It is a setting of this service alone. */
  readonly own: boolean;
  readonly items: readonly FilterItem[];
}

/** One item of a list, and the milters that it stands for: none or several if it names other settings. */
export interface FilterItem {
  readonly text: string;
  readonly filters: readonly Filter[];
  /** The list of the setting that it names, and nothing else, as `$name` does; else null. */
  readonly named: FilterList | null;
}

/** One SMTP service. */
export interface SmtpService {
  readonly title: string;
  readonly role: Role;
  /** `{daemon_name}` and `{daemon_port}` as the milter is told them, in lower case. */
  readonly macros: readonly string[];
  /** Null if not known. */
  readonly chrooted: boolean | null;
  readonly filters: readonly Filter[];
  /** The service has its own list instead of the general one. */
  readonly ownList: boolean;
  /** How the list of `filters` is written. */
  readonly list: FilterList;
  /** The service has switched milters off, by this setting. */
  readonly switchedOff: string | null;
  readonly heloRequired: boolean;
}

export interface SourcedName {
  readonly name: string;
  /** The setting that has it. */
  readonly from: string;
}

interface MtaBase {
  readonly services: readonly SmtpService[];
  /** The name it gives itself; the milter learns it from the macro `j`. */
  readonly ownName: string | null;
  /** Names under which it takes mail for itself. */
  readonly localNames: readonly SourcedName[];
  /** Domains it takes mail for, whose owners may have other hosts. */
  readonly hostedNames: readonly SourcedName[];
  /** Its public addresses that the milter does not learn by itself. */
  readonly addresses: readonly SourcedName[];
  /** Networks whose clients it trusts; loopback is left out. */
  readonly networks: readonly IpPrefix[];
  /** The user that connects to a unix socket. */
  readonly user: string;
}

export type Mta =
  | (MtaBase & { readonly kind: 'postfix'; readonly config: PostfixConfig })
  | (MtaBase & {
      readonly kind: 'sendmail';
      /** Filters that are defined, by name. */
      readonly defined: ReadonlyMap<string, Filter>;
      /** `PrivacyOptions`. */
      readonly privacy: readonly string[];
      /** `DontBlameSendmail`, in lower case. */
      readonly unblamed: readonly string[];
    });
