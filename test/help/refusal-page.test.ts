/** The page for refused senders: complete, inert, and where the link of a reply leads. */
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/core/check.ts';
import { checks, findings } from '../../src/core/checks/index.ts';
import type { FindingSpec } from '../../src/core/finding.ts';
import { refusalPage } from '../../src/help/refusal-page.ts';
import { REMEDIES, remediesOf } from '../../src/help/remedies.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { smtpReply } from '../../src/policy/smtp-reply.ts';
import { judge } from '../../src/policy/judge.ts';
import { assessed } from '../support/checked.ts';
import { CLIENT, RULES, ZONE } from '../support/service.ts';

const page = refusalPage({ findings, contact: null });
const targets = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
const links = [...page.matchAll(/ href="([^"]+)"/g)].map(([, to = '']) => to);

describe('the page for refused senders', () => {
  it.each([...findings.keys()])('says of %s what happened, why receivers care, and what helps', (id) => {
    const [, section = ''] = new RegExp(`<section id="${id}">(.*?)</section>`, 's').exec(page) ?? [];
    const spec = findings.get(id);
    const told = `say in the FindingSpec of ${id}, as its \`why\`, why receivers care, in whole sentences`;
    expect(spec?.why ?? '', told).toMatch(/^[A-Z].*\.$/);
    for (const words of ['Why receivers care', 'In the refusal', `[${id}]`, 'href="#how-to-'])
      expect(section).toContain(words);
    expect(section).not.toMatch(/\b(weights?|score|preset)\b/i);
  });

  it.each([...findings].filter(([, { replyWith }]) => replyWith !== undefined))(
    'has all the words in which %s may be told',
    (id, { reply, replyWith = {} }) => {
      const [, section = ''] = new RegExp(`<section id="${id}">(.*?)</section>`, 's').exec(page) ?? [];
      const plain = section.replaceAll(/<i>(\w+)<\/i>/g, '{$1}').replaceAll('&#39;', "'");
      for (const words of [reply, ...Object.values(replyWith)]) expect(plain).toContain(`[${id}] ${words}<`);
    },
  );

  it('says of nothing that it stands above or below: the order is that of the findings', () => {
    const texts = Object.values(REMEDIES).flatMap(({ what, ways }) => [what, ...ways.map(({ how }) => how)]);
    expect(texts.filter((text) => /\bsee (?:above|below)\b|\b(?:above|below)[.;]/.test(text))).toEqual([]);
  });

  it('names other ways by their titles', () => {
    const titles = Object.values(REMEDIES).map(({ title }) => title);
    const named = Object.values(REMEDIES)
      .flatMap(({ ways }) => ways)
      .flatMap(({ how }) => [...how.matchAll(/see "([^"]+)"/g)].map(([, title = '']) => title));
    expect(named).not.toEqual([]);
    expect(named.filter((title) => !titles.includes(title))).toEqual([]);
  });

  it('has every place that it points to, each once, and points nowhere else', () => {
    expect(links.filter((to) => !to.startsWith('#') || !targets.has(to.slice(1)))).toEqual([]);
    expect(targets.size).toBe([...page.matchAll(/ id="/g)].length);
  });

  it('loads nothing, and runs nothing', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|src=|url\(|@import|https?:/i);
  });

  it.each([
    'Postfix',
    'Exim',
    'Sendmail',
    'Microsoft Exchange',
    'Microsoft 365',
    'cPanel',
    'Plesk',
    'cameras',
  ])('tells how to set the name in %s', (product) => {
    expect(REMEDIES.announce.ways.some(({ where }) => where.includes(product))).toBe(true);
  });

  it('tells wrong signatures from servers that say nothing', () => {
    const [, section = ''] = /<section id="how-to-repair-dns">(.*?)<\/section>/s.exec(page) ?? [];
    for (const word of ['timeout', 'bogus']) expect(section).toContain(`<dt>${word}</dt>`);
    expect(section).toContain('DNSSEC');
  });

  it('has the same marks at both ends of what is typed', () => {
    for (const { what, ways } of Object.values(REMEDIES)) {
      for (const text of [what, ...ways.map(({ how }) => how)])
        expect(text.replaceAll(/‹[^‹›]+›/g, '')).not.toMatch(/[‹›]/);
    }
  });

  it('has the findings of checks of the operator, and whatever they and the contact say as text', () => {
    const own: FindingSpec = {
      basis: 'local',
      summary: '<script>alert(1)</script>',
      reference: '',
      weight: 1,
      reason: '',
      why: '"><img src=x onerror=alert(1)>',
      reply: '{helo} <b>&"',
    };
    const text = refusalPage({ findings: new Map([['our-rule', own]]), contact: '<b>"me"</b> & you' });
    expect(text).not.toMatch(/<script|<img|<b>/);
    expect(text).toContain('ask &lt;b&gt;&quot;me&quot;&lt;/b&gt; &amp; you, and');
    expect(text).toContain('[our-rule] <i>helo</i> &lt;b&gt;&amp;&quot;');
    expect(remediesOf(own)).toEqual(['ask-the-receiver']);
    expect(text).toContain('<section id="how-to-ask-the-receiver">');
  });

  it.each([
    ['gone.strange.org', 'helo-nxdomain'],
    ['Jupiter', 'helo-not-fqdn'],
    ['[192.0.2.9]', 'helo-literal-mismatch'],
  ])('is where the link of a refusal of %s leads', async (helo, id) => {
    const assessment = await assessed(CLIENT, helo, ZONE);
    for (const preset of PRESETS) {
      const policy = makePolicy(preset, findings);
      const circumstances = {
        session: { previousHelo: null, namesSeen: 1, regular: false, mta: { name: null, address: null } },
        dnsIll: false,
        elapsedMs: 0,
        at: 0,
      };
      const { verdict } = judge(assessment, { ...RULES, checks, policy } as typeof RULES, circumstances);
      const reply = smtpReply(
        { ...verdict, disposition: 'reject' },
        {
          assessment,
          findings,
          words: { ...RULES.reply, helpUrl: 'https://mx.dest.org/refused.html' },
          reference: 'r.1.1',
          policy,
          recipient: null,
          address: '',
        },
      );
      const [, anchor] = /refused\.html#([\w-]+)/.exec(reply?.text ?? '') ?? [];
      expect(anchor).toBe(verdict.cause === null ? undefined : id);
      expect(verdict.cause === null || targets.has(id)).toBe(true);
    }
  });
});
