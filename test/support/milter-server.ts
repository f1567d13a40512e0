/** A milter server that opens nothing, and says what it was asked to do. */
import {
  type ListenOptions,
  MilterServer,
  parseSocketAddress,
  type SocketAddress,
} from '../../src/milter/index.ts';

export class RecordedServer extends MilterServer {
  readonly calls: string[] = [];
  readonly listening: { readonly text: string; readonly options: ListenOptions }[] = [];
  /** Thrown by the next `listen`. */
  fault: Error | null = null;

  constructor() {
    super({ newSession: () => ({}), onError: () => undefined });
  }

  override listen(text: string, options: ListenOptions = {}): Promise<SocketAddress> {
    this.calls.push(`listen ${text}`);
    if (this.fault !== null) return Promise.reject(this.fault);
    this.listening.push({ text, options });
    return Promise.resolve(parseSocketAddress(text));
  }

  override admit(): void {
    this.calls.push('admit');
  }

  override close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }
}
