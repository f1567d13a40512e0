/**
 * The numbers, with a real Postfix before the milter and a real NSD behind it: they match the decision lines,
 * and Prometheus's own tool accepts them, the alerts and the queries of the dashboard.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { METRICS } from '../../src/monitoring/prometheus.ts';
import { ask } from './kit/ask.ts';
import { type Nsd, startNsd } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, STRANGER } from './scenarios.ts';

const run = promisify(execFile);
const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const CLI = file('dist/cli.js');
const ALERTS = file('examples/prometheus/alerts.yml');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly record?: string;
      readonly alert?: string;
      readonly expr: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }[];
  }[];
}

const rules = (parse(readFileSync(ALERTS, 'utf8')) as Rules).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert, annotations }) =>
  alert === undefined ? [] : [{ alert, annotations }],
);

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** The queries of the dashboard, with what Grafana fills in. */
const queries = (
  JSON.parse(readFileSync(file('examples/grafana/helo-milter.json'), 'utf8')) as Dashboard
).panels
  .flatMap(({ targets }) => targets.map(({ expr }) => expr))
  .map((expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'));

/** Resolves to what promtool says, on both streams; rejects if it finds fault. */
async function promtool(args: readonly string[], input?: string): Promise<string> {
  const { stdout, stderr } = await ask('promtool', args, { input });
  return stdout + stderr;
}

describeWith(['promtool'], 'promtool', () => {
  let workdir: string;
  beforeAll(() => {
    workdir = makeWorkdir();
  });
  afterAll(() => {
    removeWorkdir(workdir);
  });

  it('takes the rules and the configuration', async () => {
    expect(await promtool(['check', 'rules', ALERTS])).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(await promtool(['check', 'config', file('examples/prometheus/scrape.yml')])).toContain(
      'is valid prometheus config file syntax',
    );
  });

  it('sees each alert fire when it should, and only then', async () => {
    const given = parse(readFileSync(file('test/mta/promtool/alerts.test.yml'), 'utf8')) as {
      rule_files: string[];
      tests: {
        name: string;
        alert_rule_test: {
          alertname: string;
          exp_alerts: { exp_annotations: Record<string, string | undefined> }[];
        }[];
      }[];
    };
    given.rule_files = [ALERTS];
    const cases = given.tests.flatMap((test) => test.alert_rule_test);
    for (const { alert, annotations } of alerts) {
      const own = cases.filter(({ alertname }) => alertname === alert);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length > 0),
        `${alert} fires`,
      ).toBe(true);
      expect(
        own.some(({ exp_alerts }) => exp_alerts.length === 0),
        `${alert} is silent`,
      ).toBe(true);
      for (const { exp_annotations } of own.flatMap(({ exp_alerts }) => exp_alerts)) {
        exp_annotations['description'] = annotations?.['description'];
      }
    }
    const path = join(workdir, 'test.yml');
    writeFileSync(path, stringify(given, { aliasDuplicateObjects: false }));
    expect(await promtool(['test', 'rules', path])).toContain('SUCCESS');
    // promtool really looks: with one word more in an alert it fails.
    const [changed] = given.tests.filter(({ name }) => name === 'the milter is gone');
    const text = stringify({ ...given, tests: [changed] }, { aliasDuplicateObjects: false });
    writeFileSync(path, text.replace('does not answer', 'does not quite answer'));
    await expect(promtool(['test', 'rules', path])).rejects.toThrow(/HeloMilterDown/);
  });

  it('takes the queries of the dashboard', async () => {
    const path = join(workdir, 'queries.yml');
    const group = { name: 'dashboard', rules: queries.map((expr, i) => ({ record: `query:${i}`, expr })) };
    writeFileSync(path, stringify({ groups: [group] }));
    expect(await promtool(['check', 'rules', path])).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  it.each(alerts)('$alert says what it means and what to do', ({ annotations }) => {
    expect(annotations?.['summary']).toMatch(/^[^\n]{20,120}$/);
    expect(annotations?.['description']?.length).toBeGreaterThan(100);
    expect(annotations?.['description']).not.toContain('{{');
  });
});

describeWith(['postfix', 'nsd', 'promtool', 'own network'], 'metrics', () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;
  let origin: string;
  let access: string;
  const TRUSTED = '192.0.2.25';

  beforeAll(async () => {
    workdir = makeWorkdir();
    mkdirSync(workdir, { recursive: true });
    access = join(workdir, 'access');
    writeFileSync(access, 'deny casino.sender.org text="not here"\n');
    // The probe of /readyz asks for arpa.
    nsd = await startNsd(workdir, { ...ZONES, arpa: '' });
    program = await startProgram([
      ...['--http', '127.0.0.1:0', '--dns-server', nsd.server, '--dns-timeout', '500ms'],
      ...['--shadow-policy', 'strict', '--tempfail-limit', '1/0s', '--access', access],
      ...['--trust', TRUSTED, '--our-name', 'mx.example.org'],
      // What no policy weighs is not looked up.
      ...['--weight', 'helo-alias=1'],
    ]);
    postfix = await startPostfix(workdir, { mainCf: shippedMainCf(program.socket), milters: [null] });
    origin = /metrics and health at (http:\/\/[^/]+)\//.exec(await program.output())?.[1] ?? '';
  });

  afterAll(async () => {
    nsd.silence(false);
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  async function get(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`${origin}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Series with their values, of the metrics that are ours. */
  async function scrape(): Promise<Map<string, number>> {
    const { text } = await get('/metrics');
    return new Map(
      [...text.matchAll(/^(helo_milter_\S+) (\S+)$/gm)].map(([, series = '', value]) => [
        series,
        Number(value),
      ]),
    );
  }

  /** What one metric has gained since, by its label, without zeros. */
  function gained(
    name: string,
    after: Map<string, number>,
    before: Map<string, number>,
  ): Record<string, number> {
    const gains: Record<string, number> = {};
    for (const [series, value] of after) {
      const [, metric, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(series) ?? [];
      const gain = value - (before.get(series) ?? 0);
      if (metric === name && gain !== 0) gains[labels.replaceAll(/\w+="([^"]*)"/g, '$1')] = gain;
    }
    return gains;
  }

  /** One session: the codes of HELO and of each recipient. */
  async function session(
    from: string,
    helo: string,
    recipients: readonly string[] = ['user'],
  ): Promise<number[]> {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0, from);
    const codes = [(await client.say(`EHLO ${helo}`)).code];
    if (recipients.length > 0) await client.say('MAIL FROM:<sender@sender.org>');
    for (const recipient of recipients)
      codes.push((await client.say(`RCPT TO:<${recipient}@dest.test>`)).code);
    await client.say('QUIT');
    client.close();
    return codes;
  }

  /** How often each value of a field occurs in these lines. */
  function count(lines: readonly string[], pattern: RegExp): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const line of lines) {
      for (const [, word = ''] of line.matchAll(pattern)) counts[word] = (counts[word] ?? 0) + 1;
    }
    return counts;
  }

  const SESSIONS: [from: string, helo: string, recipients: string[], codes: number[]][] = [
    [SENDER, 'mail.sender.org', ['user'], [250, 250]],
    [SENDER, 'mail.sender.org', ['user', 'other'], [250, 250, 250]],
    [SENDER, 'pool-a.sender.org', ['user'], [250, 250]],
    [SENDER, 'cloud.sender.org', ['user'], [250, 550]],
    [SENDER, 'casino.sender.org', ['user'], [250, 550]],
    [SENDER, 'gone.strange.org', ['user'], [250, 450]],
    // The tempfail budget is one.
    [SENDER, 'gone.strange.org', ['user'], [250, 250]],
    [STRANGER, 'other.sender.org', ['user'], [250, 250]],
    [STRANGER, 'Jupiter', ['user', 'other'], [250, 550, 550]],
    [STRANGER, 'Jupiter', ['postmaster', 'abuse'], [250, 250, 250]],
    [STRANGER, 'mx.example.org', ['user'], [250, 550]],
    [TRUSTED, 'Jupiter', ['user'], [250, 250]],
    ['127.0.0.1', 'Jupiter', ['user'], [250, 250]],
    // Looked up, and never decided.
    [STRANGER, 'mail.sender.org', [], [250]],
  ];

  describe('of mail of several kinds', () => {
    let before: Map<string, number>;
    let after: Map<string, number>;
    let lines: string[];

    beforeAll(async () => {
      before = await scrape();
      for (const [from, helo, recipients, codes] of SESSIONS) {
        expect(await session(from, helo, recipients), `${helo} from ${from}`).toEqual(codes);
      }
      lines = await program.decisions();
      after = await vi.waitFor(async () => {
        const now = await scrape();
        expect(now.get('helo_milter_sessions')).toBe(0);
        return now;
      });
    });

    it.each<[metric: string, pattern: RegExp]>([
      ['helo_milter_verdicts_total', / verdict=(\S+)/g],
      ['helo_milter_actions_total', / action=(\S+)/g],
      ['helo_milter_exemptions_total', / exempt=(\S+)/g],
      ['helo_milter_streams_total', / stream=(\S+)/g],
      ['helo_milter_correspondence_total', / correspondence=(\S+)/g],
      ['helo_milter_findings_total', /(?: findings=|(?<= findings=\S+),)([a-z-]+):/g],
      ['helo_milter_shadow_verdicts_total', / shadow=([a-z]+)/g],
      ['helo_milter_refusals_total', /^(?!.* exempt=).* action=(?:reject|tempfail) .* cause=(\S+)/g],
    ])('%s is what the log says', (metric, pattern) => {
      const wanted = count(lines, pattern);
      expect(Object.keys(wanted).length).toBeGreaterThan(1);
      expect(gained(metric, after, before)).toEqual(wanted);
    });

    it('and what the clients were told', () => {
      expect(gained('helo_milter_actions_total', after, before)).toEqual({
        accept: 9,
        reject: 4,
        tempfail: 1,
      });
      expect(gained('helo_milter_refusals_total', after, before)).toEqual({
        'helo-spf-fail': 1,
        'helo-denied': 1,
        'helo-nxdomain': 1,
        'helo-not-fqdn': 1,
        // As heavy as helo-unregistered, but the more telling of the two.
        'helo-claims-us': 1,
      });
      expect(gained('helo_milter_exemptions_total', after, before)).toEqual({
        'tempfail-limit': 1,
        postmaster: 1,
        abuse: 1,
        trusted: 1,
        loopback: 1,
      });
    });

    it('sessions, cache and times agree with each other', () => {
      expect(gained('helo_milter_sessions_total', after, before)).toEqual({ '': SESSIONS.length });
      // What the text alone decides (Jupiter) is not cached; exempt clients are not looked up.
      expect(gained('helo_milter_cache_lookups_total', after, before)).toEqual({ hit: 2, miss: 10 });
      expect(after.get('helo_milter_cache_addresses')).toBe(2);
      expect(gained('helo_milter_assessment_duration_seconds_count', after, before)).toEqual({ '': 10 });
      expect(gained('helo_milter_errors_total', after, before)).toEqual({});
      for (const name of ['assessment', 'wait', 'dns']) {
        const metric = `helo_milter_${name}_duration_seconds`;
        expect(after.get(`${metric}_bucket{le="+Inf"}`)).toBe(after.get(`${metric}_count`));
      }
    });

    it('questions to DNS are those that the same assessments ask by hand', async () => {
      const asked: Record<string, number> = {};
      const missed = new Set(
        SESSIONS.filter(([from, helo]) => ![TRUSTED, '127.0.0.1'].includes(from) && helo !== 'Jupiter').map(
          ([from, helo]) => `${from} ${helo}`,
        ),
      );
      for (const pair of missed) {
        const { stdout } = await run(process.execPath, [
          ...[CLI, 'check', ...pair.split(' ')],
          ...['--json', '--dns-server', nsd.server, '--our-name', 'mx.example.org'],
        ]);
        const { dns } = JSON.parse(stdout) as { dns: { type: string; status: string }[] };
        for (const { type, status } of dns)
          asked[`${type},${status}`] = (asked[`${type},${status}`] ?? 0) + 1;
      }
      expect(gained('helo_milter_dns_questions_total', after, before)).toEqual(asked);
      const all = Object.values(asked).reduce((sum, n) => sum + n, 0);
      expect(all).toBeGreaterThan(30);
      expect(gained('helo_milter_dns_duration_seconds_count', after, before)).toEqual({ '': all });
    });
  });

  it('a peer that is no MTA is a protocol error', async () => {
    const before = await scrape();
    const socket = connect(Number(program.socket.split(':').at(-1)), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: mx\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    const after = await scrape();
    expect(gained('helo_milter_errors_total', after, before)).toEqual({ protocol: 1 });
    expect(gained('helo_milter_sessions_total', after, before)).toEqual({ '': 1 });
  });

  it('a reload is counted, a bad one until the next good one', async () => {
    const reload = async (text: string, ok: number): Promise<void> => {
      const before = await scrape();
      writeFileSync(access, text);
      program.child.kill('SIGHUP');
      await vi.waitFor(async () => {
        const after = await scrape();
        expect(gained('helo_milter_reloads_total', after, before)).toEqual(
          ok === 1 ? { ok: 1 } : { failed: 1 },
        );
        expect(after.get('helo_milter_last_reload_successful')).toBe(ok);
      });
    };
    await reload('rubbish\n', 0);
    await reload('deny casino.sender.org text="not here"\n', 1);
  });

  it('promtool likes what it reads under traffic, and all that is used and documented is there', async () => {
    const clients = Promise.all(
      Array.from({ length: 40 }, (_, i) => session(`198.51.100.${100 + i}`, `host${i % 7}.sender.org`)),
    );
    const texts: string[] = [];
    for (let i = 0; i < 10; i++) texts.push((await get('/metrics')).text);
    await clients;
    const text = (await get('/metrics')).text;
    for (const each of [...texts, text]) expect(await promtool(['check', 'metrics'], each)).toBe('');

    const exported = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
    const series = new Set([...text.matchAll(/^([a-z]\w*)/gm)].map(([, name = '']) => name));
    // This host has no store, and so does not say whether one answers.
    expect(series.has('helo_milter_store_up')).toBe(false);
    series.add('helo_milter_store_up');
    const used = [...rules.map(({ expr }) => expr), ...queries].flatMap((expr) =>
      [...expr.matchAll(/(?<![:\w])((?:helo_milter|process|nodejs)_\w+)(?!:)\b/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(used.length).toBeGreaterThan(40);
    expect(used.filter((name) => !series.has(name))).toEqual([]);
    // The queries use only labels that the metric has.
    for (const expr of [...rules.map((rule) => rule.expr), ...queries]) {
      for (const [, name = '', matchers = ''] of expr.matchAll(/\b(helo_milter_\w+)\{([^}]*)\}/g)) {
        const labels = [...matchers.matchAll(/(\w+)[=!]/g)].map(([, label]) => label ?? '');
        const known = METRICS.find((row) => name.startsWith(row.name))?.labels ?? [];
        expect([...known, 'instance', 'job', 'le']).toEqual(expect.arrayContaining(labels));
      }
    }
    const page = readFileSync(file('docs/metrics.md'), 'utf8');
    const ours = [...exported].filter((name) => name.startsWith('helo_milter_'));
    expect(ours.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
    expect(ours).toHaveLength(METRICS.length);
    // Not a word of a stranger.
    expect(text).not.toMatch(/sender\.org|dest\.test|198\.51|203\.0|Jupiter/);
  });

  it('is not ready while DNS is silent, and is again', async () => {
    expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    nsd.silence(true);
    const before = await scrape();
    expect(await session(SENDER, 'silent.sender.org')).toEqual([250, 250]);
    const { status, text } = await get('/readyz');
    expect({ status, text }).toEqual({ status: 503, text: 'dns: the resolver does not answer (timeout)\n' });
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    const after = await scrape();
    expect(Object.keys(gained('helo_milter_dns_errors_total', after, before))).toEqual(['timeout']);
    expect(gained('helo_milter_findings_total', after, before)).toHaveProperty('dns-temperror', 1);
    expect(gained('helo_milter_wait_duration_seconds_count', after, before)).toEqual({ '': 1 });
    nsd.silence(false);
    await vi.waitFor(
      async () => {
        expect(await get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
      },
      { timeout: 15_000, interval: 250 },
    );
  });

  it('says that the outage brake is on, until it is not', async () => {
    const domains = Array.from({ length: 14 }, (_, i) => `domain${i}.org`);
    // More than one network, since trouble of a single one does not put the brake on.
    const from = (i: number): string => `${['203.0.113', '198.51.100'][i % 2] ?? ''}.${100 + i}`;
    const brake = async (on: 0 | 1): Promise<void> => {
      await vi.waitFor(
        async () => {
          const now = await scrape();
          expect([now.get('helo_milter_outage_brake'), now.get('helo_milter_outages_total')]).toEqual([
            on,
            1,
          ]);
        },
        { timeout: 30_000, interval: 250 },
      );
    };
    nsd.silence(true);
    await Promise.all(domains.map((domain, i) => session(from(i), `a.${domain}`)));
    await brake(1);
    const told = await get('/readyz');
    expect(told.status).toBe(503);
    expect(told.text).toMatch(/^dns: .*outage brake/);
    nsd.silence(false);
    // No client has to come for that.
    await brake(0);
    await vi.waitFor(
      async () => {
        expect((await get('/readyz')).status).toBe(200);
      },
      { timeout: 15_000, interval: 250 },
    );
  });

  it('is watched until its last session is over', async () => {
    const client = await SmtpClient.connect(postfix.ports[0] ?? 0, SENDER);
    await client.say('EHLO mail.sender.org');
    const gone = new Promise((resolve) => program.child.once('exit', resolve));
    program.child.kill('SIGTERM');
    await vi.waitFor(async () => {
      expect(await get('/readyz')).toEqual({ status: 503, text: 'stopping: no new sessions are taken\n' });
    });
    expect((await scrape()).get('helo_milter_sessions')).toBe(1);
    await client.say('QUIT');
    client.close();
    expect(await gone).toBe(0);
    await expect(get('/healthz')).rejects.toThrow();
  });
});
