/** What is shown where the page does not work: what went wrong, and the report in plain words. */
import type { JSX } from 'preact';

/** The report in plain HTML, which is hidden while the program shows its own views. */
export function showReport(): void {
  document.getElementById('report')?.removeAttribute('hidden');
}

export function Failure({ why }: { readonly why: string }): JSX.Element {
  return (
    <div class="whole" role="alert">
      <h1>This page does not work here</h1>
      <p>
        It needs a browser of 2023 or later that lets a page start a worker. What went wrong: {why}. The
        report in plain words is below.
      </p>
    </div>
  );
}
