/**
 * Facts for doctor's checks, made from texts: settings of an MTA, options of ours. Nothing is asked or
 * opened.
 */
import { diagnose } from '../../src/doctor/checks/index.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import type { Mta } from '../../src/doctor/mta.ts';
import { parsePostconf } from '../../src/doctor/postconf.ts';
import { PostfixConfig } from '../../src/doctor/postfix-config.ts';
import { postfixMta } from '../../src/doctor/postfix.ts';
import { sendmailMta } from '../../src/doctor/sendmail-cf.ts';
import { readConfig } from '../../src/config/config.ts';

/** A set-up about which there is nothing to say. */
export const GOOD_MAIN = `
compatibility_level = 3.6
mail_version = 3.7.11
myhostname = mx.dest.test
mydestination = $myhostname, localhost
smtpd_milters = { inet:127.0.0.1:8892, command_timeout=15s, default_action=tempfail }
smtpd_helo_required = yes
`;
export const GOOD_MASTER = 'smtp inet n - n - - smtpd\n';
export const GOOD_CF = `
V10/Berkeley
Djmx.dest.test
Cwlocalhost
O DaemonPortOptions=Name=MTA, Port=25
O InputMailFilters=helo-milter
O PrivacyOptions=needmailhelo
Xhelo-milter, S=local:/run/helo-milter/socket, F=T, T=C:5s;S:15s;R:15s;E:30s
`;

export function postfix(main: string, master = GOOD_MASTER): Mta {
  return postfixMta(new PostfixConfig(parsePostconf(`${GOOD_MAIN}${main}\n${master}`, 'postconf')));
}

export function sendmail(cf: string, files: Readonly<Record<string, string>> = {}): Mta {
  return sendmailMta(cf, 'sendmail.cf', (path) => files[path] ?? null);
}

export function facts(
  mta: Mta | null,
  options: Readonly<Record<string, string[]>> = {},
  seen: Partial<Pick<Facts, 'socketFiles' | 'probes' | 'servers' | 'local'>> = {},
): Facts {
  const config = readConfig(new Map(Object.entries(options)));
  return { options: config, mta, socketFiles: [], probes: [], servers: null, ...seen };
}

/** Ids of everything that is not in order. */
export function complaints(given: Facts): string[] {
  return diagnose(given)
    .filter(({ severity }) => severity !== 'ok')
    .map(({ id }) => id);
}
