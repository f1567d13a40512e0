/** What is shown where the page does not work: one sentence, and the report in plain words. */
import { Component, type ComponentChildren, type JSX } from 'preact';

interface GuardState {
  readonly why: string | null;
}

/** Shows what is in it, until something in it throws. */
export class Guard extends Component<{ readonly children: ComponentChildren }, GuardState> {
  override state: GuardState = { why: null };

  static override getDerivedStateFromError(error: unknown): GuardState {
    return { why: error instanceof Error ? error.message : 'unknown error' };
  }

  override componentDidCatch(): void {
    showReport();
  }

  override render(): ComponentChildren {
    return this.state.why === null ? this.props.children : <Failure why={this.state.why} />;
  }
}

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
