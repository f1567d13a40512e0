/** Settings of Postfix by name, with overrides, defaults and expansion: what the daemons would read. */
import type { MasterLine, Postconf } from './postconf.ts';
import { expandParameters } from './postfix-value.ts';
import { knowsShutdown } from './postfix-versions.ts';

/** Built-in defaults of Postfix 3 (postconf(5)) for the settings read here. */
export const POSTFIX_DEFAULTS: Readonly<Record<string, string>> = {
  compatibility_level: '0',
  inet_interfaces: 'all',
  mail_owner: 'postfix',
  milter_command_timeout: '30s',
  milter_connect_macros: 'j {daemon_name} {daemon_addr} v _',
  milter_connect_timeout: '30s',
  milter_content_timeout: '300s',
  milter_macro_daemon_name: '$myhostname',
  milter_mail_macros: 'i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}',
  milter_protocol: '6',
  mydestination: '$myhostname, localhost.$mydomain, localhost',
  queue_directory: '/var/spool/postfix',
  relay_domains: '${{$compatibility_level} <level {2} ? {$mydestination} : {}}',
  smtpd_delay_reject: 'yes',
  smtpd_helo_required: 'no',
  soft_bounce: 'no',
};

export class PostfixConfig {
  readonly #set: ReadonlyMap<string, string>;
  /** What this host's postconf says about settings that are not set, such as `myhostname`. */
  readonly #effective: ReadonlyMap<string, string>;
  readonly services: readonly MasterLine[];

  constructor({ parameters, services }: Postconf, effective: ReadonlyMap<string, string> = new Map()) {
    this.#set = parameters;
    this.#effective = effective;
    this.services = services;
  }

  /** Such as `3.7.11`; null where only files are known. */
  get version(): string | null {
    return this.#set.get('mail_version') ?? this.#effective.get('mail_version') ?? null;
  }

  /**
   * Whether Postfix knows the default action `shutdown` for milters; null if unknown. If the host's postconf
   * has it as its default, it does.
   */
  get knowsShutdown(): boolean | null {
    return this.#effective.get('milter_default_action') === 'shutdown' || knowsShutdown(this.version);
  }

  /** The value for a service, or for all; empty if there is none. */
  value(name: string, service?: MasterLine): string {
    return this.expand(this.written(name, service), service);
  }

  /** The same as written, without any expansion. */
  written(name: string, service?: MasterLine): string {
    return this.#raw(name, service) ?? '';
  }

  /** A text that refers to settings, expanded for a service, or for all. */
  expand(text: string, service?: MasterLine): string {
    return expandParameters(text, (name) => this.#raw(name, service)).trim();
  }

  #raw(name: string, service?: MasterLine): string | undefined {
    return (
      service?.overrides.get(name) ??
      this.#set.get(name) ??
      this.#effective.get(name) ??
      POSTFIX_DEFAULTS[name] ??
      this.#derived(name)
    );
  }

  isSet(name: string): boolean {
    return this.#set.has(name);
  }

  isYes(name: string, service?: MasterLine): boolean {
    return this.value(name, service).toLowerCase() === 'yes';
  }

  /** Names of settings that match, including those of services. */
  names(pattern: RegExp): string[] {
    const all = [...this.#set.keys(), ...this.services.flatMap(({ overrides }) => [...overrides.keys()])];
    return [...new Set(all)].filter((name) => pattern.test(name));
  }

  #derived(name: string): string | undefined {
    if (name === 'milter_default_action') return this.knowsShutdown === true ? 'shutdown' : 'tempfail';
    // Postfix takes the host name without its first label.
    const host = this.#set.get('myhostname') ?? '';
    return name === 'mydomain' && host.includes('.') ? host.slice(host.indexOf('.') + 1) : undefined;
  }
}
