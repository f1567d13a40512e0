/**
 * The decision log: a file of JSON lines that keeps the evidence of every decision, so that it can be judged
 * again under another policy. It is written in the background; whatever happens to the file, mail goes on.
 */
import { close, constants, open } from 'node:fs';
import type { Decision } from './decision.ts';
import { decisionRecord } from './record.ts';
import { requireDirectory } from '../system/directory.ts';
import { countLines, cutOff, endsWithinLine, LINE_END } from './file-end.ts';
import { LineBuffer } from '../log/line-buffer.ts';
import { clock, type Log } from '../log/log.ts';
import { describeError, OptionError } from '../errors.ts';
import { writeAll } from '../log/write-all.ts';

/** Readable for owner and group only, since it has people's addresses. */
const MODE = 0o640;
/** Decisions that may wait to be formatted. */
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
  /** The file that a reopened one has replaced while a write was under way. */
  #stale: number | null = null;
  #writing = false;
  /** The file ends in the middle of a line. */
  #torn: boolean;

  readonly #onRecord: (record: string) => void;

  private constructor(
    file: string,
    { fd, torn }: Opened,
    log: Log,
    now: () => number,
    onRecord: (record: string) => void,
  ) {
    this.#file = file;
    this.#onRecord = onRecord;
    this.#fd = fd;
    this.#torn = torn;
    this.#log = log;
    this.#stamp = clock(now);
    this.#lines = new LineBuffer({
      put: (bytes, done) => {
        this.#put(bytes, done);
      },
      onLoss: (error) => {
        log.tell('decision-log', {
          file,
          detail: error === null ? 'the disk is too slow' : describeError(error),
          effect: 'decisions are not recorded',
        });
      },
      onRecovery: (lost) => {
        log.tell('decision-log-resumed', { file, lost });
      },
    });
  }

  /**
   * Opens the file for appending, or creates it. Rejects with UsageError if that is impossible. `onRecord`
   * hears of each record, so that nobody need format it again.
   */
  static async open(
    file: string,
    log: Log,
    now: () => number,
    onRecord: (record: string) => void = () => undefined,
  ): Promise<DecisionLog> {
    await requireDirectory('--decision-log', file);
    try {
      return new DecisionLog(file, await openFile(file), log, now, onRecord);
    } catch (error) {
      throw new OptionError('--decision-log', describeError(error));
    }
  }

  /** Takes a decision, which is formatted once the reply is on its way. */
  write(decision: Decision): void {
    if (this.#waiting.length === 0) setImmediate(this.#onRound);
    this.#waiting.push({ decision, time: this.#stamp() });
    if (this.#waiting.length >= MAX_DECISIONS) this.#write();
  }

  /** Continues in a new file of the same name, after a rotation. If that fails, the open one stays in use. */
  async reopen(): Promise<void> {
    this.#write();
    this.#lines.flush();
    try {
      const opened = await openFile(this.#file);
      const old = this.#fd;
      this.#fd = opened.fd;
      this.#torn = opened.torn;
      if (this.#writing && this.#stale === null) this.#stale = old;
      else closeFile(old);
      this.#log.tell('decision-log-reopened', { file: this.#file });
    } catch (error) {
      this.#log.tell('decision-log', {
        file: this.#file,
        detail: describeError(error),
        effect: 'the file that was open stays',
      });
    }
  }

  /** Writes what is waiting and closes the file. */
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
      const record = decisionRecord(decision, time, connected);
      this.#lines.write(`${record}\n`);
      this.#onRecord(record);
    }
  }

  #put(bytes: Buffer, done: (error: Error | null, left?: number) => void): void {
    this.#writing = true;
    const fd = this.#fd;
    // The next record must not be glued to half a line.
    const begun = this.#torn ? Buffer.concat([LINE_END, bytes]) : bytes;
    writeAll(fd, begun, (error, written) => {
      if (error === null) {
        this.#ended(fd, false);
        done(null);
        return;
      }
      const whole = begun.subarray(0, written);
      const rest = written - (whole.lastIndexOf(LINE_END) + 1);
      const left = countLines(whole) - (begun === bytes || written === 0 ? 0 : 1);
      // If nothing was written, the file ends as before.
      if (rest === 0) {
        this.#ended(fd, written === 0 && this.#torn);
        done(error, left);
        return;
      }
      cutOff(fd, rest, (cut) => {
        this.#ended(fd, !cut);
        done(error, left);
      });
    });
  }

  /** A write to this file is over. */
  #ended(fd: number, torn: boolean): void {
    this.#writing = false;
    // A file that was opened in the meantime has a different end.
    if (fd === this.#fd) this.#torn = torn;
    if (this.#stale !== null) closeFile(this.#stale);
    this.#stale = null;
  }
}

interface Opened {
  readonly fd: number;
  /** It ends in the middle of a line: a killed program or a full disk has left half a line. */
  readonly torn: boolean;
}

/**
 * As `a`, but a pipe that nobody reads must not block a thread of ours for ever, nor the exit of the process.
 */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

async function openFile(file: string): Promise<Opened> {
  const fd = await new Promise<number>((resolve, reject) => {
    open(file, FLAGS, MODE, (error, opened) => {
      if (error === null) resolve(opened);
      else reject(error);
    });
  });
  return { fd, torn: await endsWithinLine(file) };
}

function closeFile(fd: number): void {
  close(fd, () => undefined);
}
