/**
 * The lines that doctor proposes, typed exactly as they are: no milter is lost, and each stays as it was
 * written.
 */
import { describe, expect, it } from 'vitest';
import { attachments } from '../../src/doctor/attachment.ts';
import { diagnose } from '../../src/doctor/checks/index.ts';
import type { Edit } from '../../src/doctor/diagnosis.ts';
import type { Mta } from '../../src/doctor/mta.ts';
import { complaints, facts, GOOD_CF, GOOD_MASTER, postfix, sendmail } from '../support/doctor-facts.ts';

/** What a set-up is made of. */
interface Files {
  readonly main: string;
  readonly master: string;
}

/** As an operator types it: the last line of main.cf wins, and so does the last `-o` of a service. */
function type({ main, master }: Files, { file, line }: Edit): Files {
  if (file === 'main.cf') return { main: `${main}\n${line}`, master };
  if (file !== 'master.cf') return { main, master };
  const [, titles = '', option = ''] = /^(.*?): (-o .*)$/.exec(line) ?? [];
  const services = master.split('\n').map((each) => {
    const [name = '', kind = ''] = each.split(/\s+/);
    return titles.split(', ').includes(`${name} ${kind}`) ? `${each} ${option}` : each;
  });
  return { main, master: services.join('\n') };
}

/** The sockets of each service except ours, in no particular order. */
function others(mta: Mta): string[][] {
  return attachments(mta, facts(null).options).map(({ service, ours }) =>
    service.filters
      .filter((filter) => filter !== ours && !filter.socket.includes('8892'))
      .map(({ socket, commandMs }) => `${socket} ${commandMs}`)
      .sort(),
  );
}

const OURS = 'helo_milter = { inet:127.0.0.1:8892, command_timeout=15s, default_action=tempfail }\n';
const ITEM =
  '{ inet:127.0.0.1:8892, connect_timeout=5s, command_timeout=15s, content_timeout=30s, default_action=tempfail }';
const PORT_25 = 'smtp inet n - n - - smtpd';

describe.each<[title: string, main: string, master: string, id: string, wanted: string | string[]]>([
  [
    'too little time, by our own parameter',
    `${OURS.replace('15s', '3s')}smtpd_milters = $helo_milter, inet:a:1`,
    PORT_25,
    'timeout-short',
    `main.cf: helo_milter = ${ITEM}`,
  ],
  [
    'accept, behind others',
    'dkim = { unix:dkim/s, command_timeout=9s }\nsmtpd_milters = $dkim, { inet:localhost:8892, default_action=accept }, $more',
    PORT_25,
    'failure-accept',
    `main.cf: smtpd_milters = $dkim, ${ITEM.replace('127.0.0.1', 'localhost')}, $more`,
  ],
  [
    'in a list within the list',
    'all = inet:a:1, { inet:localhost:8892, default_action=reject }\nsmtpd_milters = ${all} inet:b:2',
    PORT_25,
    'failure-reject',
    `main.cf: all = inet:a:1, ${ITEM.replace('127.0.0.1', 'localhost')}`,
  ],
  [
    'not attached, with our parameter set',
    `${OURS}port = 1\nrest = inet:b:2, inet:c:3\nsmtpd_milters = inet:a:$port, $rest`,
    PORT_25,
    'postfix-not-attached',
    'main.cf: smtpd_milters = $helo_milter, inet:a:$port, $rest',
  ],
  [
    'not attached, with our parameter in a warning of postconf alone',
    `postconf: warning: /etc/postfix/main.cf: unused parameter: ${OURS.trim().replace(' = ', '=')}\nsmtpd_milters = inet:a:1`,
    PORT_25,
    'postfix-not-attached',
    'main.cf: smtpd_milters = $helo_milter, inet:a:1',
  ],
  [
    'not attached, without it',
    'rest = inet:b:2, { inet:c:3, protocol=4 }\nsmtpd_milters = $(rest)',
    PORT_25,
    'postfix-not-attached',
    [`main.cf: helo_milter = ${ITEM}`, 'main.cf: smtpd_milters = $helo_milter, $(rest)'],
  ],
  [
    'not attached, with another milter in our parameter',
    'helo_milter = inet:d:4\nsmtpd_milters = inet:a:1',
    PORT_25,
    'postfix-not-attached',
    `main.cf: smtpd_milters = ${ITEM}, inet:a:1`,
  ],
  [
    'attached by a line of its own, and by our parameter',
    `${OURS}smtpd_milters = $helo_milter ${ITEM}, inet:a:1`,
    PORT_25,
    'postfix-attached-twice',
    'main.cf: smtpd_milters = $helo_milter, inet:a:1',
  ],
  [
    'the same the other way round',
    `${OURS}smtpd_milters = ${ITEM}, $helo_milter, inet:a:1`,
    PORT_25,
    'postfix-attached-twice',
    'main.cf: smtpd_milters = $helo_milter, inet:a:1',
  ],
  [
    'the parameter twice',
    `${OURS}smtpd_milters = $helo_milter, inet:a:1, $helo_milter`,
    PORT_25,
    'postfix-attached-twice',
    'main.cf: smtpd_milters = $helo_milter, inet:a:1',
  ],
  [
    'one service without us',
    `${OURS}dkim = unix:dkim/s\nsmtpd_milters = $helo_milter`,
    `${PORT_25}\n2525 inet n - n - - smtpd -o smtpd_milters=$dkim,inet:a:1`,
    'postfix-service-not-attached',
    'master.cf: 2525 inet: -o { smtpd_milters = $helo_milter, $dkim, inet:a:1 }',
  ],
  [
    'another port',
    `${OURS.replace('127.0.0.1', '192.0.2.1')}smtpd_milters = $helo_milter, inet:a:1`,
    PORT_25,
    'postfix-socket-mismatch',
    'main.cf: helo_milter = { inet:127.0.0.1:8892, command_timeout=15s, default_action=tempfail }',
  ],
  [
    'behind a reader',
    `${OURS}spam = inet:localhost:11332\nsmtpd_milters = $spam, $helo_milter, inet:a:1`,
    PORT_25,
    'postfix-order',
    'main.cf: smtpd_milters = $helo_milter, $spam, inet:a:1',
  ],
  [
    'behind a reader of the same setting',
    'all = inet:localhost:11332, inet:localhost:8892\nsmtpd_milters = $all, inet:a:1',
    PORT_25,
    'postfix-order',
    'main.cf: smtpd_milters = inet:localhost:8892, inet:localhost:11332, inet:a:1',
  ],
  [
    'DMARC before DKIM',
    `${OURS}dmarc = unix:opendmarc/s\nsmtpd_milters = $helo_milter $dmarc $dkim\ndkim = unix:opendkim/s`,
    PORT_25,
    'dmarc-before-dkim',
    'main.cf: smtpd_milters = $helo_milter, $dkim, $dmarc',
  ],
  [
    'a static map',
    'more = inet:a:1, inet:b:2\nsmtpd_milter_maps = cidr:/maps, static:{ $more, { inet:localhost:8892, default_action=accept } }',
    PORT_25,
    'failure-accept',
    `main.cf: smtpd_milter_maps = cidr:/maps, static:{ $more, ${ITEM.replace('127.0.0.1', 'localhost')} }`,
  ],
  [
    'a map by another setting',
    'more = static:{ inet:a:1, { inet:localhost:8892, default_action=accept } }\nsmtpd_milter_maps = $more',
    PORT_25,
    'failure-accept',
    `main.cf: smtpd_milter_maps = static:{ inet:a:1, ${ITEM.replace('127.0.0.1', 'localhost')} }`,
  ],
  [
    'mail of this host',
    `${OURS}more = inet:a:1, inet:b:2\nsmtpd_milters = $helo_milter, $more\nnon_smtpd_milters = $smtpd_milters`,
    PORT_25,
    'postfix-non-smtpd',
    'main.cf: non_smtpd_milters = $more',
  ],
  [
    'no milters, and no mapping of addresses',
    `${OURS}smtpd_milters = $helo_milter, inet:a:1\nreceive_override_options = no_milters, no_address_mappings`,
    PORT_25,
    'postfix-no-milters',
    'main.cf: receive_override_options = no_address_mappings',
  ],
])('%s', (_, main, master, id, wanted) => {
  const found = diagnose(facts(postfix(main, master))).filter((each) => each.id === id);
  const typed = found
    .flatMap(({ changes }) => changes)
    .filter(({ file }) => /^ma(?:in|ster)\.cf$/.test(file));

  it('has its cure in the words that are there', () => {
    expect(typed.map(({ file, line }) => `${file}: ${line}`)).toEqual([wanted].flat());
  });

  it('is cured by it, and no other milter is lost', () => {
    const after = typed.reduce(type, { main, master });
    const cured = postfix(after.main, after.master);
    expect(others(cured)).toEqual(others(postfix(main, master)));
    expect(diagnose(facts(cured)).map((each) => each.id)).not.toContain(id);
  });
});

describe('another helo-milter on the same host', () => {
  const SECOND = OURS.replace('helo_milter', 'helo_milter_b').replace('8892', '8893');
  const LISTENERS = 'smtp inet n - n - - smtpd\n192.0.2.26:smtp inet n - n - - smtpd -o smtpd_milters=';
  const BOTH = 'helo-milter doctor --listen inet:127.0.0.1:8892 --listen';

  it.each<[title: string, main: string, master: string, command: string | undefined]>([
    ['with a parameter', SECOND, `${LISTENERS}$helo_milter_b`, `${BOTH} inet:127.0.0.1:8893`],
    ['behind another milter', SECOND, `${LISTENERS}inet:a:1,$helo_milter_b`, `${BOTH} inet:127.0.0.1:8893`],
    [
      'on a unix socket',
      '',
      `${LISTENERS}unix:helo-b/socket`,
      `${BOTH} unix:/var/spool/postfix/helo-b/socket`,
    ],
    ['on [::1]', 'helo_6 = inet:[::1]:8893\n', `${LISTENERS}$helo_6`, `${BOTH} inet:[::1]:8893`],
    ['and no name for it', '', `${LISTENERS}inet:127.0.0.1:8893`, undefined],
  ])('%s is looked at too, and its mail not given to us as well', (_, main, master, command) => {
    const mta = postfix(`${OURS}${main}smtpd_milters = $helo_milter`, master);
    const found = diagnose(facts(mta)).filter(({ id }) => id === 'postfix-service-not-attached');
    expect(found).toHaveLength(1);
    const text = found.map((each) => each.text).join('\n');
    const changes = found.flatMap((each) => each.changes);
    if (command === undefined) {
      expect(text).toMatch(/does not hand it to us$/);
      expect(changes.map(({ file }) => file)).toEqual(['master.cf']);
      return;
    }
    expect(text).toMatch(
      /^192\.0\.2\.26:smtp inet hands its mail to .*; if another helo-milter listens there/,
    );
    expect(changes.map(({ file, line }) => `${file}: ${line}`)).toEqual([`shell: ${command}`]);
    const listen = [...command.matchAll(/--listen (\S+)/g)].map(([, socket = '']) => socket);
    const ids = diagnose(facts(mta, { listen })).map(({ id }) => id);
    expect(ids).not.toContain('postfix-service-not-attached');
  });

  it('that has all the mail is not joined by us', () => {
    const mta = postfix(`${OURS.replace('8892', '8893')}smtpd_milters = $helo_milter, inet:a:1`);
    const found = diagnose(facts(mta)).filter(({ severity }) => severity === 'wrong');
    expect(found.map(({ id }) => id)).toEqual(['postfix-socket-mismatch']);
    expect(found[0]?.text).toMatch(
      /if another helo-milter listens there, name its socket with --listen too$/,
    );
    const lines = found.flatMap(({ changes }) => changes.map(({ line }) => line));
    expect(lines.filter((line) => line.includes('smtpd_milters'))).toEqual([]);
  });
});

describe('while we only watch', () => {
  const watching = { observe: ['true'] };
  const linesFor = (mta: Mta, id: string): string[] =>
    diagnose(facts(mta, watching))
      .filter((each) => each.id === id)
      .flatMap(({ changes }) => changes.map(({ line }) => line));
  const milters = (action: string): Mta =>
    postfix(`smtpd_milters = { inet:127.0.0.1:8892, command_timeout=15s, default_action=${action} }`);

  it.each([
    ['tempfail', 'failure-tempfail-observed'],
    ['reject', 'failure-reject'],
    ['quarantine', 'failure-quarantine'],
  ])('default_action=%s has accept as its cure', (action, id) => {
    const [line = ''] = linesFor(milters(action), id);
    expect(line).toContain('default_action=accept');
    const after = diagnose(facts(postfix(line), watching)).map((each) => each.id);
    expect(after).not.toContain(id);
    expect(after).toContain('failure-accept-observed');
  });

  it('what attaches us says accept', () => {
    expect(linesFor(postfix('smtpd_milters ='), 'postfix-not-attached')[0]).toMatch(
      /^helo_milter = .*default_action=accept/,
    );
    expect(linesFor(sendmail(GOOD_CF.replace(/^Xhelo.*$/m, '')), 'sendmail-not-attached')[0]).not.toContain(
      'F=',
    );
  });

  it('a Sendmail filter needs no F=', () => {
    const unix = { ...watching, listen: ['unix:/run/helo-milter/socket'] };
    const ids = (cf: string): string[] => diagnose(facts(sendmail(cf), unix)).map(({ id }) => id);
    expect(ids(GOOD_CF)).toContain('failure-tempfail-observed');
    expect(ids(GOOD_CF.replace(' F=T,', ''))).toContain('failure-accept-observed');
  });
});

describe('what happens while the milter is down', () => {
  const told = (action: string, optionsFile: string | null, options: Record<string, string[]> = {}): string =>
    diagnose({
      ...facts(postfix(`smtpd_milters = { inet:127.0.0.1:8892, default_action=${action} }`), options),
      optionsFile,
    }).find(({ id }) => id.startsWith('failure-'))?.text ?? '';

  it.each(['accept', 'tempfail'])('%s: has both sides where no configuration is known', (action) => {
    expect(told(action, null)).toMatch(/if we only watch.*if we act|if we act.*if we only watch/);
    expect(told(action, '/etc/helo-milter.toml')).not.toContain('if we');
    expect(told(action, null, { observe: ['true'] })).not.toContain('if we');
  });

  it('enforcing by percent is enforcing', () => {
    const mta = postfix('smtpd_milters = { inet:127.0.0.1:8892, default_action=accept }');
    expect(complaints(facts(mta, { enforcePercent: ['10'] }))).toContain('failure-accept');
  });
});

it('a list that names itself ends', () => {
  expect(
    diagnose(facts(postfix('smtpd_milters = $smtpd_milters, inet:a:1', GOOD_MASTER))).length,
  ).toBeGreaterThan(0);
});
