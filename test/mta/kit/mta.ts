/** What a test can ask of either MTA. */
import type { Certificates } from './certificates.ts';
import { SmtpClient } from './smtp-client.ts';
import { freePorts } from './workdir.ts';

export interface MtaOptions {
  /**
   * One SMTP service for each, with this milter: a socket as Postfix spells it, or an `S=…` line of Sendmail;
   * null for what the rest of the configuration says. Several are asked in order.
   */
  readonly milters: readonly (string | readonly string[] | null)[];
  /** Offer STARTTLS, and ask the client for a certificate. */
  readonly certificates?: Certificates;
}

export interface Mta {
  readonly name: 'Postfix' | 'Sendmail';
  /** The port of each service, on 127.0.0.1 and on ::1. */
  readonly ports: readonly number[];
  /** The messages that it keeps for inspection, header first. */
  messages(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface Service {
  readonly port: number;
  /** Null for what the configuration says otherwise. */
  readonly milters: readonly string[] | null;
}

/** A port for each service. */
export async function services(milters: MtaOptions['milters']): Promise<Service[]> {
  const ports = await freePorts(milters.length);
  return milters.map((each, i) => ({
    port: ports[i] ?? 0,
    milters: typeof each === 'string' ? [each] : each,
  }));
}

/** Waits for the greeting of a server that has just been started. */
export async function greets(port: number): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      const client = await SmtpClient.connect(port);
      client.close();
      return;
    } catch (error) {
      if (i > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
