/** The worker: an engine that answers messages, one after the other. */
import { isOfStream } from '../src/core/checks/stream.ts';
import { pageRegistry } from '../src/report/page-data.ts';
import type { Choice } from './choice.ts';
import { PageEngine } from './engine.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** Who is treated otherwise is worked out once nobody has moved anything for so long, in milliseconds. */
const QUIET_MS = 120;
/** What comes within so many milliseconds is judged in one go. */
const GROWTH_MS = 250;
/** What a live page keeps, as a page from a file does, and how many older ones go at once. */
const MOST_DECISIONS = 100_000;
const DROPPED_AT_ONCE = 10_000;

interface Port {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void;
}

export function serveWorker(port: Port): void {
  let engine: PageEngine | null = null;
  let unreadable = 0;
  let left = 0;
  /** What was asked for last: an older judgement is given up. */
  let chosen: Choice | null = null;
  /** Who is treated otherwise is being worked out for it. */
  let detailed: Choice | null = null;
  let growth: ReturnType<typeof setTimeout> | null = null;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  async function judge(work: PageEngine, choice: Choice, asked: boolean): Promise<void> {
    chosen = choice;
    const began = performance.now();
    const overview = work.overview(choice);
    const tookMs = performance.now() - began;
    port.postMessage({ kind: 'overview', choice, overview, weights: work.weights(choice), tookMs, asked });
    // What is under way for this choice takes in what has come meanwhile.
    if (detailed === choice) return;
    detailed = choice;
    try {
      await pause(QUIET_MS);
      if (choice !== chosen) return;
      const detail = await work.detail(choice, async () => {
        await pause(0);
        return choice === chosen;
      });
      if (detail === null || choice !== chosen) return;
      port.postMessage({ kind: 'detail', choice, refused: detail.refused, letIn: detail.letIn });
    } finally {
      if (detailed === choice) detailed = null;
    }
  }

  function told(error: unknown): void {
    port.postMessage({ kind: 'failed', why: error instanceof Error ? error.message : 'unknown error' });
  }

  function add(work: PageEngine, records: readonly string[]): void {
    for (const record of records) {
      if (!work.add(record)) unreadable++;
    }
  }

  /** Takes what has come; it is judged with what comes soon after it. */
  function grow(work: PageEngine, records: readonly string[]): void {
    add(work, records);
    if (work.size > MOST_DECISIONS + DROPPED_AT_ONCE) {
      left += work.size - MOST_DECISIONS;
      work.drop(work.size - MOST_DECISIONS);
    }
    growth ??= setTimeout(() => {
      growth = null;
      // The counts are told first, so that there are no decisions without them.
      if (chosen !== null) judge(work, chosen, false).catch(told);
      port.postMessage({ kind: 'grown', decisions: work.size, unreadable, left });
    }, GROWTH_MS);
  }

  async function load({ data, chunks }: Extract<ToWorker, { kind: 'load' }>): Promise<void> {
    const made = new PageEngine(data);
    engine = made;
    for (const [i, chunk] of chunks.entries()) {
      add(
        made,
        (await unpacked(chunk)).split('\n').filter((line) => line !== ''),
      );
      made.sort();
      port.postMessage({ kind: 'progress', done: i + 1, total: chunks.length });
    }
    const findings = [...pageRegistry(data.foreign).findings].flatMap(([id, { summary, basis }]) =>
      isOfStream({ id }) ? [] : [{ id, summary, basis }],
    );
    port.postMessage({ kind: 'loaded', decisions: made.size, unreadable, findings });
  }

  async function answer(message: ToWorker): Promise<void> {
    if (message.kind === 'load') await load(message);
    else if (engine === null) throw new Error('nothing is loaded');
    else if (message.kind === 'judge') await judge(engine, message.choice, true);
    else if (message.kind === 'more') grow(engine, message.records);
    else if (message.kind === 'find') port.postMessage({ kind: 'found', found: engine.find(message.query) });
    else port.postMessage({ kind: 'opened', opened: engine.open(message.index, message.choice) });
  }

  port.addEventListener('message', ({ data }) => {
    answer(data).catch(told);
  });
}

/** Each octet becomes one character, as in the reader of the log. */
async function unpacked(chunk: string): Promise<string> {
  const text = atob(chunk);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < packed.length; i++) packed[i] = text.charCodeAt(i);
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  // Where it is no gzip, whoever reads is told.
  Promise.all([writer.write(packed), writer.close()]).catch(() => undefined);
  const decoder = new TextDecoder('latin1');
  const pieces: string[] = [];
  // Read piece by piece, which a browser does at once; a Response would wait its turn for each.
  for (const reader = readable.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return pieces.join('');
    pieces.push(decoder.decode(value));
  }
}
