/** The page as a whole: what is tried, what comes of it, and the views of it. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PageData } from '../src/report/page-data.ts';
import { ChangedView } from './changed-view.tsx';
import { choiceFrom, choiceOf, fragmentOf, type Choice } from './choice.ts';
import { type WorkerClient, startClient } from './client.ts';
import { LiveWaiting } from './connection.tsx';
import { CountCards } from './counts.tsx';
import { DecisionDialog } from './decision-dialog.tsx';
import { DecisionsView } from './decisions-view.tsx';
import { ExportView } from './export-view.tsx';
import { Failure } from './failure.tsx';
import { FindingsView } from './findings-view.tsx';
import { number } from './format.ts';
import { Histogram } from './histogram.tsx';
import type { FromWorker } from './messages.ts';
import type { Opened } from './opened.ts';
import { EVERYTHING, type FoundRows, type Query } from './search.ts';
import { SettingsPanel } from './settings.tsx';
import { Empty, Loading, PageHead, type Stock, type Told } from './states.tsx';
import { type Tab, Tabs } from './tabs.tsx';
import { Timelines } from './timeline.tsx';
import { useLive } from './use-live.ts';

interface AppProps {
  readonly data: PageData;
  readonly chunks: readonly string[];
  readonly program: string;
}

export function App({ data, chunks, program }: AppProps): JSX.Element {
  const [given] = useState(() => choiceOf(data.options));
  const [choice, setChoice] = useState(given);
  const [progress, setProgress] = useState<Told<'progress'> | null>(null);
  const [loaded, setLoaded] = useState<Told<'loaded'> | null>(null);
  const [stock, setStock] = useState<Stock>({ decisions: 0, unreadable: 0, left: data.left });
  const [judged, setJudged] = useState<Told<'overview'> | null>(null);
  const [judgements, countJudgement] = useState(0);
  const [detail, setDetail] = useState<Told<'detail'> | null>(null);
  const [found, setFound] = useState<FoundRows | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [tab, setTab] = useState('refused');
  const [query, setQuery] = useState(EVERYTHING);
  const client = useRef<WorkerClient | null>(null);

  useEffect(() => {
    const take = (answer: FromWorker): void => {
      if (answer.kind === 'progress') setProgress(answer);
      else if (answer.kind === 'loaded') {
        setLoaded(answer);
        setStock(({ left }) => ({ decisions: answer.decisions, unreadable: answer.unreadable, left }));
      } else if (answer.kind === 'grown') setStock(answer);
      else if (answer.kind === 'overview') {
        setJudged(answer);
        countJudgement((before) => before + 1);
      } else if (answer.kind === 'detail') setDetail(answer);
      else if (answer.kind === 'found') setFound(answer.found);
      else if (answer.kind === 'opened') setOpened(answer.opened);
      else setFailure(answer.why);
    };
    try {
      client.current = startClient(program, { data, chunks }, take);
    } catch (error) {
      setFailure(error instanceof Error ? error.message : 'its worker could not be started');
    }
  }, []);

  // After the worker, which takes what comes.
  const live = useLive(data.live, (records) => client.current?.more(records));

  // A link holds what was tried.
  useEffect(() => {
    if (loaded === null) return undefined;
    const ids = new Set(loaded.findings.map(({ id }) => id));
    const follow = (): void => {
      setChoice(choiceFrom(location.hash, given, (id) => ids.has(id)));
    };
    follow();
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('hashchange', follow);
    };
  }, [loaded]);

  useEffect(() => {
    if (loaded !== null) client.current?.judge(choice);
  }, [loaded, choice]);

  useEffect(() => {
    if (tab === 'decisions') client.current?.find(query);
  }, [tab, query, detail]);

  useEffect(() => {
    const report = document.getElementById('report');
    if (report !== null) report.hidden = failure === null && (loaded === null || tab !== 'report');
  }, [failure, loaded, tab]);

  const change = (to: Choice): void => {
    setChoice(to);
    const fragment = JSON.stringify(to) === JSON.stringify(given) ? '' : fragmentOf(to);
    history.replaceState(
      null,
      '',
      `${location.href.split('#')[0] ?? ''}${fragment === '' ? '' : `#${fragment}`}`,
    );
  };
  const lookFor = (changes: Partial<Query>): void => {
    setQuery({ ...EVERYTHING, ...changes });
    setTab('decisions');
  };

  // What was worked out for other settings is not shown beside these.
  const changes = detail !== null && detail.choice === judged?.choice ? detail : sameChoice(detail, choice);
  const tabs = useMemo((): readonly Tab[] => {
    const most = number(stock.decisions);
    // There are no more senders than decisions.
    const senders = (count: number | undefined): Pick<Tab, 'note' | 'room'> => ({
      note: count === undefined ? null : number(count),
      room: most.length,
    });
    return [
      { id: 'refused', label: 'Newly refused or delayed', ...senders(changes?.refused.count) },
      { id: 'letin', label: 'Let in', ...senders(changes?.letIn.count) },
      { id: 'findings', label: 'Findings', note: number(judged?.overview.findings.length ?? 0), room: 2 },
      { id: 'decisions', label: 'Decisions', note: most },
      { id: 'export', label: 'Export' },
      ...(data.live === null ? [{ id: 'report', label: 'Letters' }] : []),
    ];
  }, [changes, judged, stock]);

  if (failure !== null) return <Failure why={failure} />;
  if (loaded === null) return <Loading progress={progress} />;
  if (stock.decisions === 0)
    return live === null ? <Empty unreadable={stock.unreadable} /> : <LiveWaiting live={live} />;
  if (judged === null) return <Loading progress={progress} />;
  const { overview, weights, tookMs } = judged;
  return (
    <>
      <PageHead data={data} live={live} stock={stock} judged={judged} />
      <CountCards overview={overview} isLive={live?.connection === 'live'} />
      <div class="columns">
        <SettingsPanel
          choice={choice}
          given={given}
          findings={loaded.findings}
          overview={overview}
          weights={weights}
          onChoice={change}
        />
        <div class="card">
          <Histogram scores={overview.scores} choice={choice} onChoice={change} />
          <Timelines overview={overview} />
        </div>
      </div>
      <Tabs tabs={tabs} chosen={tab} onTab={setTab}>
        {tab === 'refused' && (
          <ChangedView
            key="refused"
            changed={changes?.refused ?? null}
            empty="With these options nobody is treated more strictly than before. Move a threshold, or choose a stricter policy."
            onSender={(text) => {
              lookFor({ text, change: 'stricter' });
            }}
          />
        )}
        {tab === 'letin' && (
          <ChangedView
            key="letin"
            changed={changes?.letIn ?? null}
            empty="With these options nobody is treated more mildly than before."
            onSender={(text) => {
              lookFor({ text, change: 'milder' });
            }}
          />
        )}
        {tab === 'findings' && (
          <FindingsView
            overview={overview}
            findings={loaded.findings}
            weights={weights}
            onFinding={(finding) => {
              lookFor({ finding });
            }}
          />
        )}
        {tab === 'decisions' && (
          <DecisionsView
            query={query}
            found={found}
            findings={overview.findings.map(({ name }) => name)}
            onQuery={setQuery}
            onOpen={(index) => client.current?.open(index, choice)}
          />
        )}
        {tab === 'export' && <ExportView choice={choice} isLive={live !== null} />}
        {tab === 'report' && (
          <p class="state">The report on the options that this page was made with is below.</p>
        )}
      </Tabs>
      {opened !== null && (
        <DecisionDialog
          opened={opened}
          onClose={() => {
            setOpened(null);
          }}
        />
      )}
      <footer class="faint" data-judged={`${judgements} ${tookMs}`}>
        helo-milter {data.version}. Judged again in {tookMs < 10 ? tookMs.toFixed(1) : Math.round(tookMs)} ms.
      </footer>
    </>
  );
}

function sameChoice(detail: Told<'detail'> | null, choice: Choice): Told<'detail'> | null {
  return detail !== null && JSON.stringify(detail.choice) === JSON.stringify(choice) ? detail : null;
}
