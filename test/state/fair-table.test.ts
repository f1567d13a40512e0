import { expect, it } from 'vitest';
import { FairTable, type TableKey, tableBytes } from '../../src/state/fair-table.ts';

const key = (network: string, text: string, site = network, block = site): TableKey => ({
  text: `${network} ${text}`,
  row: 'row',
  network,
  site,
  block,
});

it('keeps when something was first and last seen, and how often', () => {
  const table = new FairTable(4);
  expect(table.find(key('a', 'x'), 0)).toBeNull();
  const record = table.add(key('a', 'x'), 100, 0);
  expect([record.first, record.count]).toEqual([100, 0]);
  record.see(150);
  record.see(170);
  expect(table.find(key('a', 'x'), 170)).toMatchObject({ first: 100, count: 2 });
  expect(table.find(key('a', 'x'), 171)).toBeNull();
  expect(table.find(key('a', 'y'), 0)).toBeNull();
});

it('begins anew with what was forgotten, in the same place', () => {
  const table = new FairTable(1);
  table.add(key('a', 'x'), 100, 0).see(100);
  expect(table.add(key('a', 'x'), 500, 200)).toMatchObject({ first: 500, count: 0 });
  expect(table.held('a')).toBe(1);
});

it('gives up what it is told to', () => {
  const table = new FairTable(1);
  table.add(key('a', 'x'), 1, 0);
  table.delete(key('a', 'x'));
  table.delete(key('a', 'never'));
  expect(table.find(key('a', 'x'), 0)).toBeNull();
  expect(table.held('a')).toBe(0);
});

it('when a row is full, whoever has most of it gives up the oldest', () => {
  const table = new FairTable(1);
  for (let i = 0; i < 20; i++) table.add(key(`owner${i}`, 'x'), i, 0);
  for (let i = 0; i < 100_000; i++) table.add(key('greedy', `n${i}`), 100 + i, 0);
  for (let i = 0; i < 20; i++) expect(table.find(key(`owner${i}`, 'x'), 0), `owner${i}`).not.toBeNull();
  expect(table.held('greedy')).toBe(44);
  expect(table.find(key('greedy', 'n99999'), 0)).not.toBeNull();
  expect(table.find(key('greedy', 'n99955'), 0)).toBeNull();
});

it('a site with many networks counts as one, and within it those that have few are spared', () => {
  const table = new FairTable(1);
  for (let i = 0; i < 10; i++) table.add(key(`owner${i}`, 'x'), i, 0);
  for (let i = 0; i < 10; i++) table.add(key(`neighbour${i}`, 'x', 'site'), i, 0);
  for (let i = 0; i < 100_000; i++) table.add(key('greedy', `n${i}`, 'site'), 100 + i, 0);
  for (let i = 0; i < 10; i++) expect(table.find(key(`owner${i}`, 'x'), 0), `owner${i}`).not.toBeNull();
  for (let i = 0; i < 10; i++) expect(table.find(key(`neighbour${i}`, 'x', 'site'), 0)).not.toBeNull();
  for (let i = 0; i < 100_000; i++) table.add(key(`net${i}`, 'x', 'site'), 200_000 + i, 0);
  for (let i = 0; i < 10; i++) expect(table.find(key(`owner${i}`, 'x'), 0), `owner${i}`).not.toBeNull();
  expect(table.held('site')).toBe(54);
});

it('a block with many sites counts as one, and within it those that have few are spared', () => {
  const table = new FairTable(1);
  for (let i = 0; i < 10; i++) table.add(key(`owner${i}`, 'x'), i, 0);
  for (let i = 0; i < 100_000; i++) table.add(key(`net${i}`, 'x', `site${i}`, 'block'), 100 + i, 0);
  for (let i = 0; i < 10; i++) expect(table.find(key(`owner${i}`, 'x'), 0), `owner${i}`).not.toBeNull();
  expect(table.held('block')).toBe(54);
  expect(table.find(key('net99999', 'x'), 0)).not.toBeNull();
});

it('counts no further than it can, and leaves the owner of the place alone', () => {
  const table = new FairTable(1);
  const record = table.add(key('a', 'x', 'site', 'block'), 1, 0);
  for (let i = 0; i < 70_000; i++) record.see(2);
  expect(record.count).toBe(65_535);
  table.delete(key('a', 'x', 'site', 'block'));
  expect([table.held('site'), table.held('block')]).toEqual([0, 0]);
});

it('takes a place that is forgotten before one that is not', () => {
  const table = new FairTable(1);
  for (let i = 0; i < 64; i++) table.add(key(`owner${i}`, 'x'), i, 0);
  table.add(key('new', 'x'), 100, 1);
  expect(table.find(key('owner0', 'x'), 0)).toBeNull();
  for (let i = 1; i < 64; i++) expect(table.find(key(`owner${i}`, 'x'), 0), `owner${i}`).not.toBeNull();
});

it('has a size that can be told beforehand', () => {
  expect(tableBytes(16_384)).toBe(16_384 * 64 * 20 + 458_752);
});
