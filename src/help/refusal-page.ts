/**
 * A page for refused senders, in the operator's name, to be put on any web server: `--help-url` leads there,
 * and `#FINDING-ID` to what happened. One file, without scripts, and nothing on it comes from elsewhere.
 */
import type { FindingSpec, Remedy } from '../core/check.ts';
import { escapeHtml } from './escape-html.ts';
import { REMEDIES, remediesOf } from './remedies.ts';

export interface RefusalPageOptions {
  readonly findings: ReadonlyMap<string, FindingSpec>;
  /** Whom a refused sender may ask; null for the postmaster of the recipient's domain. */
  readonly contact: string | null;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 6rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h2 code, td code { font-weight: 600; } h3 { font-size: 1rem; margin-bottom: .3rem; }
code { font: .92em ui-monospace, monospace; background: var(--soft); padding: .08em .3em; border-radius: .25em; overflow-wrap: anywhere; }
blockquote { margin: .6rem 0; padding: .5rem .8rem; border-left: 3px solid var(--line); background: var(--soft); overflow-wrap: anywhere; }
section:target h2 { background: #fd08; }
ul.ids { columns: 14rem; padding-left: 1.1rem; } dt { font-weight: 600; margin-top: .7rem; } dd { margin: 0 0 0 1.2rem; }
`;

/** The page as HTML. */
export function refusalPage({ findings, contact }: RefusalPageOptions): string {
  const whom = contact ?? 'the postmaster of the recipient’s domain';
  const used = new Set([...findings.values()].flatMap(remediesOf));
  const ids = [...findings.keys()].map((id) => `<li><a href="#${id}"><code>${id}</code></a></li>`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="robots" content="noindex">',
    '<title>Why your mail was refused</title>',
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    '<h1>Why your mail was refused</h1>',
    '<p>When a mail server delivers mail to us, it gives the name of its host (HELO or EHLO). We check whether it has any ' +
      'right to that name, since spam often comes from hosts that have none. The refusal that you have received names in ' +
      'square brackets what was found; look for that word here.</p>',
    `<p>If it does not help, ask ${escapeHtml(whom)}, and quote the whole refusal: its reference leads to what was seen.</p>`,
    `<ul class="ids">${ids.join('')}</ul>`,
    ...[...findings].map(([id, spec]) => findingSection(id, spec)),
    '<h1 id="what-you-can-do">What you can do</h1>',
    ...[...used].map(remedySection),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function findingSection(id: string, spec: FindingSpec): string {
  const links = remediesOf(spec).map(
    (remedy) => `<li><a href="#${anchorOf(remedy)}">${escapeHtml(REMEDIES[remedy].title)}</a></li>`,
  );
  return [
    `<section id="${id}">`,
    `<h2><code>${id}</code></h2>`,
    `<p>${escapeHtml(sentence(spec.summary))}</p>`,
    ...(spec.why === undefined ? [] : [`<h3>Why receivers care</h3>`, `<p>${marked(quoted(spec.why))}</p>`]),
    '<h3>In the refusal</h3>',
    ...[spec.reply, ...Object.values(spec.replyWith ?? {})].map(
      (words) => `<blockquote>[${id}] ${blanks(words)}</blockquote>`,
    ),
    '<h3>What helps</h3>',
    `<ul>${links.join('')}</ul>`,
    '</section>',
  ].join('\n');
}

function remedySection(remedy: Remedy): string {
  const { title, what, ways } = REMEDIES[remedy];
  const terms = ways.map(({ where, how }) => `<dt>${escapeHtml(where)}</dt><dd>${marked(how)}</dd>`);
  return [
    `<section id="${anchorOf(remedy)}">`,
    `<h2>${escapeHtml(title)}</h2>`,
    `<p>${marked(what)}</p>`,
    ...(terms.length === 0 ? [] : [`<dl>${terms.join('')}</dl>`]),
    '</section>',
  ].join('\n');
}

/** Where a remedy stands; no finding has an id like it. */
export function anchorOf(remedy: Remedy): string {
  return `how-to-${remedy}`;
}

/** A summary is a sentence without its first capital letter and full stop. */
export function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

/** Code in backticks, as the texts of findings have it, in the marks of the remedies. */
function quoted(text: string): string {
  return text.replaceAll(/`([^`]*)`/g, '‹$1›');
}

function marked(text: string): string {
  return escapeHtml(text).replaceAll('‹', '<code>').replaceAll('›', '</code>');
}

/** What is filled in, as a blank. */
function blanks(reply: string): string {
  return escapeHtml(reply).replaceAll(/\{(\w+)\}/g, '<i>$1</i>');
}
