/** Where a part of the page throws, something else is shown in its place. */
import { Component, type ComponentChildren } from 'preact';

interface GuardProps {
  readonly children: ComponentChildren;
  /** Makes what is shown instead, from what went wrong. */
  readonly otherwise: (why: string) => ComponentChildren;
  readonly onFailure: () => void;
}

interface GuardState {
  readonly why: string | null;
}

/** Shows what is in it, until something in it throws. */
export class Guard extends Component<GuardProps, GuardState> {
  override state: GuardState = { why: null };

  static override getDerivedStateFromError(error: unknown): GuardState {
    return { why: error instanceof Error ? error.message : 'unknown error' };
  }

  override componentDidCatch(): void {
    this.props.onFailure();
  }

  override render(): ComponentChildren {
    const { children, otherwise } = this.props;
    return this.state.why === null ? children : otherwise(this.state.why);
  }
}
