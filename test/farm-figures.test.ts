/**
 * The figures of docs/farm.md and docs/cost.md that follow from bench/results.md are those of the run on
 * file. `npm run docs` writes the tables.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { expectTable, markdown } from './support/generated.ts';

const root = new URL('../', import.meta.url);
const textOf = (file: string): string => readFileSync(new URL(file, root), 'utf8').replaceAll(/\s+/g, ' ');
const FARM = new URL('docs/farm.md', root);

/** The median in one cell of bench/results.md. */
function measured(title: string, name: string, column: string): number {
  const [, section = expect.fail(title)] = readFileSync(new URL('bench/results.md', root), 'utf8').split(
    `## ${title}\n`,
  );
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  const cellsOf = (line = ''): string[] => line.split('|').map((cell) => cell.trim());
  const cells = cellsOf(lines.find((line) => cellsOf(line)[1] === name) ?? expect.fail(name));
  const cell = cells[cellsOf(lines[0]).indexOf(column)] ?? expect.fail(column);
  const figure = Number(cell.split(' ')[0]?.replaceAll(',', ''));
  expect(figure, `${name}: ${column}`).toBeGreaterThan(0);
  return figure;
}

interface Load {
  readonly what: string;
  /** Microseconds of CPU for each. */
  readonly postfix: number;
  readonly milter: number;
}

function loadOf(what: string, title: string, tags: boolean): Load {
  const name = `helo-milter, unix, ${tags ? 'Authentication-Results' : 'no header'}, Node 24`;
  return {
    what,
    postfix: measured(title, name, 'CPU of Postfix µs'),
    milter: measured(title, name, 'CPU of the milter µs'),
  };
}

const MAIL = 'Postfix: one message a session, 10 clients at once';
const plain = loadOf('no header wanted', MAIL, false);
const tagged = loadOf('with `Authentication-Results`', MAIL, true);
const hello = loadOf('a connection that only says EHLO', 'Postfix: EHLO and QUIT, 10 clients at once', false);

const STORE = 'Sessions up to RCPT, with the store of a farm and without';
/** Microseconds of CPU that a question to the store costs the host that asks, and the server. */
function questionOf(node: number): { readonly host: number; readonly server: number } {
  const host = (name: string): number => measured(STORE, `${name}, Node ${node}`, 'CPU of the host µs');
  return {
    host: host('store') - host('no store'),
    server: measured(STORE, `store, Node ${node}`, 'CPU of the server µs'),
  };
}

const grouped = (value: number): string => value.toFixed(0).replaceAll(/\B(?=(\d{3})+$)/g, ',');
const tens = (value: number): string => grouped(Math.round(value / 10) * 10);
/** A second, of one core. */
const rate = (micros: number): number => 1e6 / micros;

function fullTable(): string {
  const rows = [plain, tagged, hello].map(({ what, postfix, milter }) => [
    what,
    `${grouped(postfix)} µs`,
    `${grouped(milter)} µs`,
    `${tens(rate(milter))} a second`,
    `${(postfix / milter).toFixed(1)} cores`,
  ]);
  return markdown(
    ['per message', 'Postfix', 'the milter', 'one process is full at', 'Postfix then fills'],
    rows,
  );
}

const WORDS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ');

/** What so many cores do in a second if nothing else is short, and the processes that this takes. */
function onCores(cores: number, { postfix, milter }: Load, store: boolean): string[] {
  const { host, server } = store ? questionOf(24) : { host: 0, server: 0 };
  const messages = cores * rate(postfix + milter + host + server);
  const processes = Math.ceil(messages / rate(milter + host));
  return [tens(messages), WORDS[processes] ?? String(processes)];
}

function coresTable(): string {
  const rows = [8, 32].flatMap((cores) =>
    [false, true].map((store) => [
      `${cores} cores${store ? ', a store on them' : ''}`,
      ...onCores(cores, plain, store),
      ...onCores(cores, tagged, store),
    ]),
  );
  const head = ['', 'messages a second, no header', 'processes'];
  return markdown([...head, tagged.what, 'processes'], rows);
}

it.each([
  ['full', fullTable],
  ['cores', coresTable],
])('the table of %s in docs/farm.md is up to date', (name, table) => {
  expectTable(FARM, name, table());
});

it('docs/farm.md says what a question to the store costs', () => {
  const [newest, oldest] = [questionOf(24), questionOf(20)];
  const text = textOf('docs/farm.md');
  expect(text).toContain(
    `A question costs the server ${newest.server.toFixed(0)} µs of processor time and the host that asks ` +
      `${newest.host.toFixed(0)} (Node 20: ${oldest.server.toFixed(0)} and ${oldest.host.toFixed(0)};`,
  );
  expect(text).toContain(
    `a question costs the host ${newest.host.toFixed(0)} µs more and the server beside it ${newest.server.toFixed(0)}`,
  );
  const thousands = Math.round(rate(newest.server) / 1000);
  expect(text).toContain(`From the first follow some ${thousands},000 questions a second`);
});

it('docs/cost.md says how much of the Postfix beside it one process can serve', () => {
  const ratios = [
    [plain, 'no header'],
    [tagged, 'Authentication-Results'],
  ] as const;
  const all = ratios.map(
    ([{ milter }, how]) => rate(milter) / measured(MAIL, `helo-milter, unix, ${how}, Node 24`, 'sessions/s'),
  );
  const text = `${WORDS[Math.floor(Math.min(...all))]} to ${WORDS[Math.ceil(Math.max(...all))]} times`;
  expect(textOf('docs/cost.md')).toContain(`one process handles ${text} what the Postfix beside it can send`);
});
