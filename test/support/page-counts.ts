/** What the page counts at once, and what the replayer says of the same log, decision by decision. */
import { expect } from 'vitest';
import { readRecord, type RecordedDecision } from '../../src/decisions/record-reader.ts';
import { pastOf } from '../../src/report/earlier-mail.ts';
import { type PageData, pageOptionsOf, pageRegistry, pageRules } from '../../src/report/page-data.ts';
import { Replayer } from '../../src/report/replayer.ts';
import { type Choice, choiceOf } from '../../web/choice.ts';
import { PageEngine } from '../../web/engine.ts';
import { shareByNetwork } from '../../web/network-share.ts';
import { outcomeOf, type Overview, OverviewCounter } from '../../web/overview.ts';
import { TimeScale } from '../../web/time-scale.ts';
import { configOf, type Given } from './workshop.ts';

export function dataWith(options: Given, others: Partial<PageData> = {}): PageData {
  return {
    version: 'test',
    made: 0,
    options: pageOptionsOf(configOf(options)),
    access: null,
    recipients: [],
    reply: { helpUrl: null, contact: null, templates: [], codes: [] },
    foreign: [],
    live: null,
    masked: false,
    left: 0,
    notes: [],
    ...others,
  };
}

export function engineWith(data: PageData, log: readonly string[]): PageEngine {
  const engine = new PageEngine(data);
  for (const line of log) expect(engine.add(line)).toBe(true);
  return engine;
}

/** Each by the replayer, one after the other. */
export function replayed(data: PageData, log: readonly string[], choice: Choice): Overview {
  const registry = pageRegistry([]);
  const records = log.map((line): RecordedDecision => readRecord(line, registry.checks));
  const rules = pageRules(data, { ...data.options, ...choice }, registry, shareByNetwork());
  const replayer = new Replayer({ rules, past: pastOf(data.options) });
  const times = records.map(({ time }) => time);
  const scale = new TimeScale(Math.min(...times), Math.max(...times));
  const counter = new OverviewCounter(scale);
  for (const record of records) {
    counter.add(outcomeOf(replayer.replay(record)), new Map([[scale.sliceOf(record.time), 1]]));
  }
  return counter.result();
}

/** What depends on earlier mail is counted as if each decision had been judged in its order. */
export function expectSameCounts(
  data: PageData,
  log: readonly string[],
  choice: Choice = choiceOf(data.options),
): void {
  expect(engineWith(data, log).overview(choice)).toEqual(replayed(data, log, choice));
}
