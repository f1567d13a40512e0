/** A page as `report --html` has written it, taken apart. */
import { gunzipSync } from 'node:zlib';
import type { PageData } from '../../src/report/page-data.ts';
import { PageEngine } from '../../web/engine.ts';

export interface PageFile {
  /** What comes before, between and after the three parts that are put in. */
  readonly frame: readonly string[];
  readonly report: string;
  readonly data: string;
  readonly decisions: string;
}

export function takeApart(html: string): PageFile {
  const found =
    /^(.*<section id="report" class="report">\n)(.*)(\n<\/section>\n<\/main>\n<script id="program">.*<\/script>\n<script id="data" type="application\/json">)(.*?)(<\/script>\n<script id="decisions" type="text\/plain">\n)(.*?)(\n<\/script>\n<\/body>\n<\/html>\n)$/s.exec(
      html,
    );
  if (found === null) throw new Error('it is no page');
  const [, head = '', report = '', middle = '', data = '', between = '', decisions = '', end = ''] = found;
  return { frame: [head, middle, between, end], report, data, decisions };
}

/** The lines of the decision log that are in it. */
export function linesOf({ decisions }: PageFile): string[] {
  return decisions
    .split('\n')
    .filter((chunk) => chunk !== '')
    .flatMap((chunk) => gunzipSync(Buffer.from(chunk, 'base64')).toString('latin1').split('\n'));
}

/** What the page's worker would do with it. */
export function engineOf(file: PageFile): PageEngine {
  const engine = new PageEngine(JSON.parse(file.data) as PageData);
  for (const line of linesOf(file)) if (!engine.add(line)) throw new Error('a line cannot be read');
  return engine;
}
