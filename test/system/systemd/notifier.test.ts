import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Notifier, type Send, senderOf } from '../../../src/system/systemd/notifier.ts';

function notifier(send: Send | null): { readonly made: Notifier; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  const made = new Notifier({ send, monotonic: () => 1_234_567n, onError: (error) => errors.push(error) });
  return { made, errors };
}

describe('Notifier', () => {
  it('sends one message after the other, in order', async () => {
    const sent: string[] = [];
    let waiting = 0;
    const { made } = notifier(async (assignments) => {
      expect(++waiting).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      waiting--;
      sent.push(assignments.join(' '));
    });
    made.ready('a');
    made.reloading();
    made.alive('b');
    made.status('c\nREADY=1');
    made.stopping('d', 1.5);
    await made.sent();
    expect(sent).toEqual([
      'READY=1 STATUS=a',
      'RELOADING=1 MONOTONIC_USEC=1234 STATUS=reads its files again',
      'WATCHDOG=1 STATUS=b',
      'STATUS=c READY=1',
      'STOPPING=1 EXTEND_TIMEOUT_USEC=1500 STATUS=d',
    ]);
  });

  it('tells of a failure once until a message goes through again', async () => {
    const outcomes = [false, false, true, false];
    const { made, errors } = notifier(() =>
      outcomes.shift() === true ? Promise.resolve() : Promise.reject(new Error('gone')),
    );
    for (let i = 0; i < 4; i++) made.alive('');
    await made.sent();
    expect(errors).toHaveLength(2);
  });

  it('says nothing where nobody listens', async () => {
    const { made, errors } = notifier(null);
    made.ready('');
    await made.sent();
    expect(errors).toEqual([]);
  });
});

describe('senderOf', () => {
  it.each([{}, { NOTIFY_SOCKET: '' }])('%j: nobody listens', (environment) => {
    expect(senderOf({ environment }, null)).toBeNull();
  });

  it('writes to the descriptor that it is given', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'notify-'));
    const file = join(directory, 'out');
    await senderOf({ environment: {} }, openSync(file, 'w'))?.(['A=1', 'B=2']);
    expect(readFileSync(file, 'utf8')).toBe('A=1\nB=2');
    rmSync(directory, { recursive: true });
  });

  it('starts systemd-notify with the socket and nothing else of the environment', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'notify-'));
    const out = join(directory, 'out');
    writeFileSync(
      join(directory, 'systemd-notify'),
      `#!/bin/sh\nprintf '%s\\n' "$NOTIFY_SOCKET" "$LISTEN_FDS" "$@" >${out}\n`,
      { mode: 0o755 },
    );
    const environment = { PATH: `${directory}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/n', LISTEN_FDS: '2' };
    await senderOf({ environment }, null)?.(['READY=1', 'STATUS=a b']);
    expect(readFileSync(out, 'utf8')).toBe('/run/n\n\nREADY=1\nSTATUS=a b\n');
    rmSync(directory, { recursive: true });
  });

  it('rejects where systemd-notify is missing', async () => {
    const environment = { PATH: '/nonexistent', NOTIFY_SOCKET: '/run/n' };
    await expect(senderOf({ environment }, null)?.(['READY=1'])).rejects.toThrow('ENOENT');
  });
});
