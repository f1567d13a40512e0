/** A configuration file with every option at its default, commented out. */
import { byDefault } from '../../src/commands/print-config.ts';
import { nameOf, type OptionRow } from '../../src/config/option.ts';
import { ROWS } from '../../src/config/options.ts';

/** An example for each option without a default. */
const EXAMPLES: Readonly<Record<string, string>> = {
  socketGroup: '"postfix"',
  user: '"nobody"',
  group: '"nogroup"',
  pidFile: '"/run/helo-milter/pid"',
  weight: '{ helo-mismatch = 5 }',
  require: '"aligned"',
  regulars: '"10/5"',
  regularsFile: '"/var/lib/helo-milter/regulars"',
  store: '"rediss://helo@store.example.net/0"',
  storePasswordFile: '"/etc/helo-milter/store.password"',
  storeCa: '"/etc/helo-milter/store-ca.pem"',
  ramp: '{ iprev-none = "5/24h" }',
  streamWeight: '{ failed = 3 }',
  streamLimit: '{ unverified = "20/1h" }',
  shadowPolicy: '"strict"',
  check: '["even-address.mjs"]',
  ourName: '["example.org"]',
  ourAddress: '["192.0.2.25"]',
  trust: '["192.0.2.0/24", "2001:db8::/32"]',
  access: '"access"',
  recipientPolicy: '"recipients"',
  exemptDaemon: '["submission", 587]',
  dnsServer: '["127.0.0.1"]',
  dnsZone: '"senders.zone"',
  nat64Prefix: '["2001:db8:64::/96"]',
  authservId: '"mx.example.org"',
  selfTestRecipient: '"helotest@mx.example.org"',
  helpUrl: '"https://example.org/helo"',
  contact: '"postmaster@example.org"',
  replyTemplate: '{ helo-mismatch = "{helo} is not the name of {client}" }',
  replyCode: '{ helo-not-fqdn = 504 }',
  decisionLog: '"/var/log/helo-milter/decisions.jsonl"',
  traceClient: '["192.0.2.25"]',
  http: '"127.0.0.1:9892"',
  history: '"64M"',
  mask: '"recipients"',
};

export function sampleConfig(): string {
  const lines = [
    '# Every option of helo-milter, at its default if it has one. Remove the "#" before those that you change.',
    '#   helo-milter --config helo-milter.toml --check-config   says what is wrong, and what may surprise you',
    '#   kill -HUP, or systemctl reload                         reads it again; a mistake changes nothing',
    '# Paths are relative to this file. [weight], [reply-template] and [reply-code] may be tables at the end.',
  ];
  let group = '';
  for (const [key, row] of ROWS) {
    if (row.group !== group) lines.push('', `# --- ${(group = row.group)} ---`);
    lines.push('', ...comment(`${row.help}${row.restart === true ? ' (a restart is needed)' : ''}`));
    lines.push(`#${nameOf(key)} = ${valueOf(key, row)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A text as comment lines of at most 110 columns. */
function comment(text: string): string[] {
  return [...text.matchAll(/(?!\s).{1,108}(?=\s|$)/g)].map(([line]) => `# ${line}`);
}

function valueOf(key: string, row: OptionRow<unknown>): string {
  const value = row.default === null && row.value !== undefined ? EXAMPLES[key] : byDefault(row);
  if (value === undefined || value === null)
    throw new Error(
      `give ${key}, which has no default, a row in EXAMPLES of scripts/manual/sample-config.ts`,
    );
  return value;
}
