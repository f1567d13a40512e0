/** The resolver of a Config: its servers, or its zone file. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import type { SharedResolver } from '../dns/asker.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import { zoneFileResolver } from '../dns/zone-file.ts';
import { describeError, OptionError, UsageError } from '../errors.ts';

/** The resolver that the flags name: servers, or a zone file. Rejects with UsageError. */
export async function resolverOf({
  dnsServer,
  dnsTimeout,
  dnsZone,
}: Pick<Config, 'dnsServer' | 'dnsTimeout' | 'dnsZone'>): Promise<SharedResolver> {
  if (dnsZone === null) return createStubResolver({ servers: dnsServer, timeoutMs: dnsTimeout });
  try {
    return zoneFileResolver(await readFile(dnsZone, 'utf8'), dnsZone);
  } catch (error) {
    throw error instanceof UsageError ? error : new OptionError('--dns-zone', describeError(error));
  }
}
