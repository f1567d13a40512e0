/** The decision log on a real disk that is full: a small tmpfs in a mount namespace of the program's own. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { askMilter } from './kit/milter-client.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { makeWorkdir, removeWorkdir } from './kit/workdir.ts';

describeWith(['unshare'], 'a full disk', () => {
  let workdir: string;
  let program: Program;
  /** The disk as the program sees it. */
  let disk: string;
  let asked = 0;

  beforeAll(async () => {
    workdir = makeWorkdir();
    const mount = `mount -t tmpfs -o size=64k tmpfs ${workdir} && exec "$@"`;
    program = await startProgram(
      ['--decision-log', join(workdir, 'decisions'), '--dns-server', '127.0.0.1:1'],
      {
        wrapper: ['unshare', '--mount', 'sh', '-c', mount, 'sh'],
      },
    );
    disk = `/proc/${program.child.pid ?? 0}/root${workdir}`;
  });

  afterAll(async () => {
    await program.stop();
    removeWorkdir(workdir);
  });

  /** The references of all lines; fails if a line is torn. */
  function recorded(): string[] {
    const lines = readFileSync(join(disk, 'decisions'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    return lines.map((line) => (JSON.parse(line) as { reference: string }).reference);
  }

  async function askUntil(told: RegExp): Promise<void> {
    for (; asked < 500; asked++) {
      if (told.test(await program.output())) return;
      await askMilter(program.socket, `h${asked} is no name`);
    }
    throw new Error(`nobody said ${String(told)}`);
  }

  it('leaves whole lines only, before and after there is room again', async () => {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(40_000));
    await askUntil(/^error decision-log .*detail="ENOSPC/m);
    const kept = recorded();
    expect(kept.length).toBeGreaterThan(0);
    rmSync(join(disk, 'ballast'));
    await askUntil(/^decision-log-resumed /m);
    const lost = Number(/decision-log-resumed .*lost=(\d+)/.exec(await program.output())?.[1]);
    await vi.waitFor(() => {
      const all = recorded();
      expect(all.slice(0, kept.length)).toEqual(kept);
      expect(all.length + lost).toBe(asked);
    });
  });
});
