// node page.mjs FILE: builds the page, one file with its program and its style inside, which loads nothing.
// The program is named by its hash (Content Security Policy level 3), and starts its worker from itself.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** What only Node has must not get in, and would be found out only in a browser. */
const nothingOfNode = {
  name: 'nothing-of-node',
  enforce: 'pre',
  resolveId(id, importer) {
    if (id.startsWith('node:')) throw new Error(`${importer} imports ${id}, which no browser has`);
  },
};

const { output } = await build({
  configFile: false,
  root: path('../web'),
  logLevel: 'warn',
  plugins: [nothingOfNode],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    write: false,
    target: 'es2022',
    lib: { entry: path('../web/main.tsx'), formats: ['iife'], name: 'page' },
    // The text of the public suffix list would be there once for each place that reads it.
    rolldownOptions: { optimization: { inlineConst: false } },
  },
}).then((results) => results[0]);
const chunks = output.filter(({ type }) => type === 'chunk');
if (chunks.length !== 1) throw new Error('the program of the page is not one file');

/** Printable ASCII, and nothing that would end a `script` element. */
const program = chunks[0].code
  .replaceAll(/<\/(?=script)/gi, '<\\/')
  .replaceAll('<!--', '<\\!--')
  .replaceAll(/[^\n\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  .trim();
const style = readFileSync(path('../web/style.css'), 'utf8').trim();
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `@@CONNECT@@script-src ${hash(program)}`,
  `style-src ${hash(style)}`,
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>helo-milter</title>
<style>${style}</style>
</head>
<body>
<!-- Contains Preact (MIT, (c) 2015-present Jason Miller) and tldts (MIT, (c) 2017 Thomas Parisot, 2018 Remi Berson). -->
<main>
<div id="app"><div class="whole"><p>Reading the decisions ...</p></div></div>
<noscript><p>This browser runs no program here; what follows is in plain words.</p></noscript>
<section id="report" class="report">
@@REPORT@@
</section>
</main>
<script id="program">${program}</script>
<script id="data" type="application/json">@@DATA@@</script>
<script id="decisions" type="text/plain">
@@DECISIONS@@
</script>
</body>
</html>
`;
if (/[^\n\x20-\x7e]/.test(html)) throw new Error('the page has more than printable ASCII');
writeFileSync(process.argv[2], html);
