/** One hunt, in a thread that `run.ts` watches. */
import { parentPort, workerData } from 'node:worker_threads';
import { Board } from './board.ts';
import { corpusOf } from './corpus.ts';
import { BlockCoverage } from './coverage.ts';
import { hunt, type HuntResult, nameOfInput } from './hunt.ts';
import { TARGETS } from './targets.ts';

/** What a thread is given. */
export interface HuntOrder {
  readonly target: string;
  readonly seed: number;
  /** Processor time of the whole process that it may take. */
  readonly seconds: number;
  /** The folder of this room in the checkout. */
  readonly room: string;
  readonly memory: SharedArrayBuffer;
  /** Names of inputs that an earlier thread did not get over. */
  readonly without: readonly string[];
}

/** What it tells at its end. */
export interface HuntTold extends Omit<HuntResult, 'kept'> {
  readonly kept: number;
  readonly blocks: number;
  readonly cpuSeconds: number;
}

const order = workerData as HuntOrder;
const target = TARGETS.find(({ name }) => name === order.target);
if (target === undefined) throw new Error(`no target ${order.target}`);
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const began = cpuSeconds();
const board = new Board(order.memory);
const coverage = new BlockCoverage(target.files);
const { kept, ...result } = await hunt(target, {
  seed: order.seed,
  corpus: corpusOf(order.room, target.name).filter((input) => !order.without.includes(nameOfInput(input))),
  guide: coverage,
  goesOn: () => !board.stopped && cpuSeconds() - began < order.seconds,
  onInput: (input) => {
    board.show(input);
  },
});
coverage.stop();
const told: HuntTold = {
  ...result,
  kept: kept.length,
  blocks: coverage.blocks,
  cpuSeconds: cpuSeconds() - began,
};
parentPort?.postMessage(told);
