import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Head, MAX_HEAD } from '../../src/mailboxes/head.ts';
import { headsIn } from '../../src/mailboxes/mailboxes.ts';
import { headsOfMbox } from '../../src/mailboxes/mbox.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mailboxes-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text, 'latin1');
}

/** The subjects of what was read, sorted, and what was left out. */
async function read(...names: string[]): Promise<{ subjects: string[]; left: string[] }> {
  const left: string[] = [];
  const subjects: string[] = [];
  const paths = names.map((name) => join(root, name));
  for await (const { text } of headsIn(paths, (why, path) =>
    left.push(`${why} ${path.slice(root.length)}`),
  )) {
    subjects.push(/^Subject: (.*?)\r?$/m.exec(text)?.[1] ?? `none in ${JSON.stringify(text)}`);
  }
  return { subjects: subjects.sort(), left: left.sort() };
}

const message = (subject: string): string => `Received: x\nSubject: ${subject}\n\nSubject: body\n`;

describe('walks', () => {
  it('a Maildir with its folders, and a directory of Maildirs', async () => {
    for (const [at, name] of ['cur/1:2,S', 'new/2', 'tmp/3', '.Sent/cur/4', 'Archive/2026/new/5'].entries()) {
      for (const user of ['alice', 'bob']) write(`${user}/Maildir/${name}`, message(`${user}${at + 1}`));
    }
    for (const name of ['.Sent/new', 'Archive/2026/cur', 'new', 'cur']) {
      for (const user of ['alice', 'bob']) mkdirSync(join(root, user, 'Maildir', name), { recursive: true });
    }
    write('alice/Maildir/dovecot-uidlist', '3 V1 N5\n');
    write('alice/Maildir/subscriptions', 'Subject: none\n');
    expect(await read('alice/Maildir')).toEqual({
      subjects: ['alice1', 'alice2', 'alice4', 'alice5'],
      left: [],
    });
    expect((await read('.')).subjects).toEqual(
      ['alice', 'bob'].flatMap((user) => [1, 2, 4, 5].map((at) => `${user}${at}`)),
    );
    expect((await read('bob/Maildir/cur', 'bob/Maildir/new/2')).subjects).toEqual(['bob1', 'bob2']);
  });

  it('an mbox, a message, and a directory of both', async () => {
    write(
      'mail/user',
      `From a@b Thu Nov 26 10:30:03 2026\n${message('one')}\nFrom - Thu Nov 26 10:30:03 2026\n${message('two')}`,
    );
    write('mail/three.eml', message('three').replaceAll('\n', '\r\n'));
    write('mail/notes', 'buy milk\nSubject: none\n');
    write('mail/empty', '');
    expect(await read('mail')).toEqual({
      subjects: ['one', 'three', 'two'],
      left: ['not-mail /mail/empty', 'not-mail /mail/notes'],
    });
    expect(await read('mail/user', 'mail/three.eml')).toEqual({
      subjects: ['one', 'three', 'two'],
      left: [],
    });
  });

  it('no links in mailboxes, and nothing that could keep it waiting', async () => {
    write('secret', message('secret'));
    write('box/cur/1', message('one'));
    mkdirSync(join(root, 'box/new'));
    symlinkSync(join(root, 'secret'), join(root, 'box/cur/2'));
    symlinkSync('..', join(root, 'box/loop'));
    execFileSync('mkfifo', [join(root, 'box/new/pipe')]);
    symlinkSync(join(root, 'box'), join(root, 'named'));
    expect(await read('box')).toEqual({ subjects: ['one'], left: ['not-mail /box/new/pipe'] });
    expect((await read('named')).subjects).toEqual(['one']);
  });

  it('over what it may not read, which root may', async () => {
    write('box/cur/1', message('one'));
    mkdirSync(join(root, 'box/new'));
    chmodSync(join(root, 'box/cur/1'), 0);
    expect(await read('box')).toEqual(
      process.getuid?.() === 0
        ? { subjects: ['one'], left: [] }
        : { subjects: [], left: ['unreadable /box/cur/1'] },
    );
  });

  it('no path that is not there', async () => {
    await expect(read('none')).rejects.toThrow(/none: .*no such file/i);
  });
});

describe('reads no more than the header', () => {
  it.each([15, 16, 17, 1024, MAX_HEAD / 1024 - 1].map((size) => size * 1024))(
    'of some %i octets',
    async (size) => {
      for (const more of [-3, -2, -1, 0, 1]) {
        const head = `Subject: long\nX: ${'x'.repeat(size + more - 18)}\n`;
        write('m.eml', `${head}\nbody\n`);
        for await (const { text, cut } of headsIn([join(root, 'm.eml')], () => expect.fail())) {
          expect(cut).toBe(size > MAX_HEAD);
          expect(text).toBe(cut ? 'Subject: long\n' : head);
        }
      }
    },
  );

  it('and none of a field that is cut in two', async () => {
    const heads = await collect(
      headsIn([(write('m.eml', `A: 1\nB: 2\n${' x\n'.repeat(MAX_HEAD)}`), join(root, 'm.eml'))], () =>
        expect.fail(),
      ),
    );
    expect(heads).toEqual([{ text: 'A: 1\n', cut: true }]);
  });
});

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of all) list.push(each);
  return list;
}

/** An mbox, cut into pieces of some size. */
async function mbox(text: string, size: number): Promise<Head[]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < text.length; at += size) {
      yield await Promise.resolve(Buffer.from(text.slice(at, at + size), 'latin1'));
    }
  }
  return collect(headsOfMbox(pieces()));
}

const FROM = 'From a@b Thu Nov 26 10:30:03 2026';

describe.each([1, 2, 7, 64, 65536])('an mbox in pieces of %i octets', (size) => {
  it.each([
    ['one', `${FROM}\nA: 1\n\nbody\n`, ['A: 1\n']],
    ['CRLF', `${FROM}\r\nA: 1\r\n\r\nbody\r\n\r\n${FROM}\r\nA: 2\r\n\r\n`, ['A: 1\r\n', 'A: 2\r\n']],
    ['no body', `${FROM}\nA: 1\n\n${FROM}\nA: 2\n`, ['A: 1\n', 'A: 2\n']],
    ['no header', `${FROM}\n\n${FROM}\n\nA: no\n`, ['', '']],
    ['quoted', `${FROM}\nA: 1\n\n\n>${FROM}\nA: no\n`, ['A: 1\n']],
    ['no empty line before', `${FROM}\nA: 1\n\nx\n${FROM}\nA: no\n`, ['A: 1\n']],
    ['a sentence', `${FROM}\nA: 1\n\nx\n\nFrom here on\nA: no\n\n${FROM}\nA: 2\n`, ['A: 1\n', 'A: 2\n']],
    ['the end within a header', `${FROM}\nA: 1`, ['A: 1']],
    ['the end within the line', `${FROM}\nA: 1\n\nFrom a`, ['A: 1\n']],
    ['a line of UUCP', `${FROM}\n>${FROM} remote from x\nA: 1\n\n`, [`>${FROM} remote from x\nA: 1\n`]],
    ['an endless line', `${FROM}\nA: 1\n\nFrom ${'x'.repeat(5000)}\n\n${FROM}\nA: 2\n`, ['A: 1\n', 'A: 2\n']],
  ])('%s', async (_, text, heads) => {
    expect(await mbox(text, size)).toEqual(heads.map((each) => ({ text: each, cut: false })));
  });
});

it('an mbox with a header that does not end', async () => {
  const heads = await mbox(
    `${FROM}\nA: 1\nB: ${'x'.repeat(2 * MAX_HEAD)}\nC: 1\n\n\n${FROM}\nA: 2\n\n`,
    10_000,
  );
  expect(heads).toEqual([
    { text: 'A: 1\n', cut: true },
    { text: 'A: 2\n', cut: false },
  ]);
});
