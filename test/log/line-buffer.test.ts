import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GATHER_MS, LineBuffer } from '../../src/log/line-buffer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Until lines have waited long enough for further ones. */
async function tick(): Promise<void> {
  await vi.advanceTimersByTimeAsync(GATHER_MS);
}

/** A buffer in front of a reader that takes lines only when told. */
function reader(maxWaiting?: number): {
  lines: LineBuffer;
  written: string[];
  events: string[];
  take: (error?: Error) => void;
} {
  const written: string[] = [];
  const events: string[] = [];
  const pending: ((error: Error | null) => void)[] = [];
  const lines = new LineBuffer({
    put: (bytes, done) => {
      written.push(bytes.toString());
      pending.push(done);
    },
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
    onLoss: (error) => events.push(`loss ${error?.message ?? 'slow'}`),
    onRecovery: (lost) => {
      events.push(`recovery ${lost}`);
      lines.write(`lost ${lost}\n`);
    },
  });
  return { lines, written, events, take: (error) => pending.shift()?.(error ?? null) };
}

describe('LineBuffer', () => {
  it('writes the lines of a short while together, off the path of who wrote them', async () => {
    const { lines, written } = reader();
    lines.write('a\n');
    lines.write('b\n');
    expect(written).toEqual([]);
    await tick();
    expect(written).toEqual(['a\nb\n']);
  });

  it('does not wait with a batch that is large', () => {
    const { lines, written } = reader();
    for (let i = 0; i < 70; i++) lines.write(`${'x'.repeat(999)}\n`);
    expect(written.map((text) => text.length)).toEqual([63_000]);
  });

  it('takes a line of any length, in any characters', async () => {
    const { lines, written, take } = reader();
    const long = '\u20ac'.repeat(100_000);
    lines.write('a\n');
    lines.write(`${long}\n`);
    take();
    await tick();
    expect(written.join('')).toBe(`a\n${long}\n`);
  });

  it('keeps the order, one write at a time', async () => {
    const { lines, written, take } = reader();
    lines.write('a\n');
    await tick();
    lines.write('b\n');
    lines.write('c\n');
    await tick();
    expect(written).toEqual(['a\n']);
    take();
    expect(written).toEqual(['a\n', 'b\nc\n']);
  });

  it('is drained when all has left', async () => {
    const { lines, written, take } = reader();
    let drained = false;
    lines.write('a\n');
    const end = lines.drained().then(() => (drained = true));
    lines.write('b\n');
    await tick();
    take();
    await tick();
    expect([drained, written]).toEqual([false, ['a\n', 'b\n']]);
    take();
    await end;
    expect(drained).toBe(true);
    await lines.drained();
  });

  it('bounds what a slow reader leaves waiting, and tells the loss where it was', async () => {
    const { lines, written, events, take } = reader(100_000);
    lines.write('first\n');
    await tick();
    for (let i = 0; i < 100_000; i++) lines.write('0123456789\n');
    expect(events).toEqual(['loss slow']);
    take();
    const kept = (written[1] ?? '').split('0123456789\n').length - 1;
    expect(kept * 11).toBeGreaterThan(90_000);
    expect(kept * 11).toBeLessThan(140_000);
    take();
    expect(written).toEqual(['first\n', '0123456789\n'.repeat(kept), `lost ${100_000 - kept}\n`]);
    expect(events).toEqual(['loss slow', `recovery ${100_000 - kept}`]);
  });

  it('counts what could not be written, tells it once, and goes on', async () => {
    const { lines, written, events, take } = reader();
    for (const line of ['a\n', 'b\n', 'c\n']) {
      lines.write(line);
      await tick();
      take(line === 'c\n' ? undefined : new Error('no space'));
    }
    expect(events).toEqual(['loss no space', 'recovery 2']);
    expect(written).toEqual(['a\n', 'b\n', 'c\n', 'lost 2\n']);
  });

  it('gives up what waits to who has no time', () => {
    const { lines } = reader();
    lines.write('a\n');
    lines.write('b\n');
    expect(lines.take().toString()).toBe('a\nb\n');
    expect(lines.take()).toHaveLength(0);
  });
});
