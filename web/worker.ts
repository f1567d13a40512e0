/** The worker: an engine that answers messages, one after the other. */
import { isOfStream } from '../src/core/checks/stream.ts';
import { pageRegistry } from '../src/report/page-data.ts';
import type { Choice } from './choice.ts';
import { PageEngine } from './engine.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** Who is treated otherwise is worked out once nobody has moved anything for so long, in milliseconds. */
const QUIET_MS = 120;

interface Port {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void;
}

export function serveWorker(port: Port): void {
  let engine: PageEngine | null = null;
  /** Counts the judgements that were asked for: an older one is given up. */
  let asked = 0;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  async function judge(work: PageEngine, choice: Choice): Promise<void> {
    const own = ++asked;
    const began = performance.now();
    const overview = work.overview(choice);
    const tookMs = performance.now() - began;
    port.postMessage({ kind: 'overview', choice, overview, weights: work.weights(choice), tookMs });
    await pause(QUIET_MS);
    const detail = await work.detail(choice, async () => {
      await pause(0);
      return own === asked;
    });
    if (detail === null || own !== asked) return;
    port.postMessage({ kind: 'detail', choice, refused: detail.refused, letIn: detail.letIn });
  }

  async function load({ data, chunks }: Extract<ToWorker, { kind: 'load' }>): Promise<void> {
    const made = new PageEngine(data);
    let unreadable = 0;
    for (const [i, chunk] of chunks.entries()) {
      for (const line of (await unpacked(chunk)).split('\n')) {
        if (line !== '' && !made.add(line)) unreadable++;
      }
      port.postMessage({ kind: 'progress', done: i + 1, total: chunks.length });
    }
    engine = made;
    const findings = [...pageRegistry(data.foreign).findings].flatMap(([id, { summary, basis }]) =>
      isOfStream({ id }) ? [] : [{ id, summary, basis }],
    );
    port.postMessage({ kind: 'loaded', decisions: made.size, unreadable, findings });
  }

  async function answer(message: ToWorker): Promise<void> {
    if (message.kind === 'load') await load(message);
    else if (engine === null) throw new Error('nothing is loaded');
    else if (message.kind === 'judge') await judge(engine, message.choice);
    else if (message.kind === 'find') port.postMessage({ kind: 'found', found: engine.find(message.query) });
    else port.postMessage({ kind: 'opened', opened: engine.open(message.index, message.choice) });
  }

  port.addEventListener('message', ({ data }) => {
    answer(data).catch((error: unknown) => {
      port.postMessage({ kind: 'failed', why: error instanceof Error ? error.message : 'unknown error' });
    });
  });
}

/** Each octet becomes one character, as in the reader of the log. */
async function unpacked(chunk: string): Promise<string> {
  const packed = Uint8Array.from(atob(chunk), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new TextDecoder('latin1').decode(await new Response(stream).arrayBuffer());
}
