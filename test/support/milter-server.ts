/** A milter server that opens nothing, and records what it was asked to do. */
import {
  formatSocketAddress,
  type ListenOptions,
  MilterServer,
  parseSocketAddress,
  type SocketAddress,
} from '../../src/milter/index.ts';

export class RecordedServer extends MilterServer {
  readonly calls: string[] = [];
  readonly listening: { readonly address: SocketAddress; readonly options: ListenOptions }[] = [];
  /** Thrown by the next `listen`. */
  fault: Error | null = null;

  constructor() {
    super({ newSession: () => ({}), onError: () => undefined });
  }

  override listen(where: string | SocketAddress, options: ListenOptions = {}): Promise<SocketAddress> {
    const address = typeof where === 'string' ? parseSocketAddress(where) : where;
    this.calls.push(`listen ${formatSocketAddress(address)}`);
    if (this.fault !== null) return Promise.reject(this.fault);
    this.listening.push({ address, options });
    return Promise.resolve(address);
  }

  override admit(): void {
    this.calls.push('admit');
  }

  override close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }
}
