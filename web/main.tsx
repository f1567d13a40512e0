/** The one program of the page: in a window it shows, in a worker it computes. */
import { render } from 'preact';
import type { PageData } from '../src/report/page-data.ts';
import { App } from './app.tsx';
import { Failure, showReport } from './failure.tsx';
import { Guard } from './guard.ts';
import { serveWorker } from './worker.ts';

if (typeof document === 'undefined') serveWorker(self);
else {
  // The report in plain words is for whoever has no program.
  document.getElementById('report')?.setAttribute('hidden', '');
  document.addEventListener('DOMContentLoaded', show);
}

/** Puts the page into its place, once all of its data has been read. */
function show(): void {
  const root = document.getElementById('app');
  if (root === null) return;
  const text = (id: string): string => document.getElementById(id)?.textContent ?? '';
  const program = text('program');
  const chunks = text('decisions')
    .split('\n')
    .filter((chunk) => chunk.trim() !== '');
  let data: PageData;
  try {
    data = JSON.parse(text('data')) as PageData;
  } catch {
    root.textContent =
      'This page is incomplete: its data cannot be read. Please make it again. What follows is in plain words.';
    showReport();
    return;
  }
  root.textContent = '';
  render(
    <Guard otherwise={(why) => <Failure why={why} />} onFailure={showReport}>
      <App data={data} chunks={chunks} program={program} />
    </Guard>,
    root,
  );
}
