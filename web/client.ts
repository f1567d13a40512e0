/** The page's side of its worker. */
import type { PageData } from '../src/report/page-data.ts';
import type { Choice } from './choice.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { Query } from './search.ts';

export interface WorkerClient {
  more(records: readonly string[]): void;
  judge(choice: Choice): void;
  find(query: Query): void;
  open(index: number, choice: Choice): void;
}

/**
 * Starts the worker with the page's own program, as a page that loads nothing has no other file. While a
 * judgement is under way only the latest of the next ones is kept.
 */
export function startClient(
  program: string,
  { data, chunks }: { readonly data: PageData; readonly chunks: readonly string[] },
  onAnswer: (answer: FromWorker) => void,
): WorkerClient {
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const say = (message: ToWorker): void => {
    worker.postMessage(message);
  };
  let isJudging = false;
  let next: Choice | null = null;
  const judge = (choice: Choice): void => {
    if (isJudging) next = choice;
    else {
      isJudging = true;
      say({ kind: 'judge', choice });
    }
  };
  worker.addEventListener('message', ({ data: answer }: MessageEvent<FromWorker>) => {
    onAnswer(answer);
    if (answer.kind !== 'overview' || !answer.asked) return;
    isJudging = false;
    const waiting = next;
    next = null;
    if (waiting !== null) judge(waiting);
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    onAnswer({
      kind: 'failed',
      why: event.message === '' ? 'its worker could not be started' : event.message,
    });
  });
  say({ kind: 'load', data, chunks });
  return {
    more: (records) => {
      say({ kind: 'more', records });
    },
    judge,
    find: (query) => {
      say({ kind: 'find', query });
    },
    open: (index, choice) => {
      say({ kind: 'open', index, choice });
    },
  };
}
