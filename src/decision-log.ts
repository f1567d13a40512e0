/**
 * The decision log: a file of JSON lines that keeps the evidence of every decision, to be judged again under another
 * policy. Appended to in the background; whatever happens to the file, the mail goes on.
 */
import { close, constants, open } from 'node:fs';
import type { Decision } from './decision.ts';
import { decisionRecord } from './decision-record.ts';
import { describeError } from './describe-error.ts';
import { requireDirectory } from './directory.ts';
import { LineBuffer } from './line-buffer.ts';
import { clock, type Log } from './log.ts';
import { OptionError } from './usage-error.ts';
import { writeAll } from './write-all.ts';

/** Owner and group: it holds addresses of people. */
const MODE = 0o640;
/** Decisions that may wait to be put into words. */
const MAX_DECISIONS = 1000;

export class DecisionLog {
  readonly #file: string;
  readonly #log: Log;
  readonly #stamp: () => string;
  readonly #lines: LineBuffer;
  readonly #onRound = (): void => {
    this.#write();
  };
  #waiting: { readonly decision: Decision; readonly time: string }[] = [];
  #fd: number;
  /** What a reopened file has replaced while a write was under way. */
  #stale: number | null = null;
  #writing = false;
  /** The last write ended within a line. */
  #torn = false;

  private constructor(file: string, fd: number, log: Log, now: () => number) {
    this.#file = file;
    this.#fd = fd;
    this.#log = log;
    this.#stamp = clock(now);
    this.#lines = new LineBuffer({
      put: (bytes, done) => {
        this.#put(bytes, done);
      },
      onLoss: (error) => {
        log.error('decision-log', [
          ['file', file],
          ['detail', error === null ? 'the disk is too slow' : describeError(error)],
          ['effect', 'decisions are not recorded'],
        ]);
      },
      onRecovery: (lost) => {
        log.notice('decision-log-resumed', [
          ['file', file],
          ['lost', lost],
        ]);
      },
    });
  }

  /** Opens the file for appending, or makes it. Rejects with UsageError where that cannot be. */
  static async open(file: string, log: Log, now: () => number): Promise<DecisionLog> {
    await requireDirectory('--decision-log', file);
    try {
      return new DecisionLog(file, await openFile(file), log, now);
    } catch (error) {
      throw new OptionError('--decision-log', describeError(error));
    }
  }

  /** Takes a decision; it is put into words once the reply is on its way. */
  write(decision: Decision): void {
    if (this.#waiting.length === 0) setImmediate(this.#onRound);
    this.#waiting.push({ decision, time: this.#stamp() });
    if (this.#waiting.length >= MAX_DECISIONS) this.#write();
  }

  /** Goes on in a file of the same name, after a rotation. Where that fails, the one that is open stays. */
  async reopen(): Promise<void> {
    this.#write();
    this.#lines.flush();
    try {
      const opened = await openFile(this.#file);
      const old = this.#fd;
      this.#fd = opened;
      this.#torn = false;
      if (this.#writing && this.#stale === null) this.#stale = old;
      else closeFile(old);
      this.#log.notice('decision-log-reopened', [['file', this.#file]]);
    } catch (error) {
      this.#log.error('decision-log', [
        ['file', this.#file],
        ['detail', describeError(error)],
        ['effect', 'the file that was open stays'],
      ]);
    }
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    this.#write();
    await this.#lines.drained();
    closeFile(this.#fd);
  }

  #write(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { decision, time } of waiting) {
      const { connectedAt } = decision;
      const connected = connectedAt === null ? null : new Date(connectedAt).toISOString();
      this.#lines.write(`${decisionRecord(decision, time, connected)}\n`);
    }
  }

  #put(bytes: Buffer, done: (error: Error | null) => void): void {
    this.#writing = true;
    // A full disk may have taken half a line: what comes next must not be glued to it.
    const whole = this.#torn ? Buffer.concat([Buffer.from('\n'), bytes]) : bytes;
    writeAll(this.#fd, whole, (error, written) => {
      this.#writing = false;
      if (error === null) this.#torn = false;
      else if (written > 0) this.#torn = true;
      if (this.#stale !== null) closeFile(this.#stale);
      this.#stale = null;
      done(error);
    });
  }
}

/** As `a`; and a pipe that nobody reads must not hold up a thread of ours for ever, nor the end of the process. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

function openFile(file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(file, FLAGS, MODE, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

function closeFile(fd: number): void {
  close(fd, () => undefined);
}
