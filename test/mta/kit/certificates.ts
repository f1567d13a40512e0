/** An authority of our own, with a certificate for the MTA and one for a client. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface KeyPair {
  /** Files in PEM form. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** File and directory with the authority's own certificate. */
  readonly authority: string;
  readonly directory: string;
  readonly server: KeyPair;
  /** `CN=laptop.sender.org`. */
  readonly client: KeyPair;
}

export async function makeCertificates(workdir: string): Promise<Certificates> {
  const directory = join(workdir, 'tls');
  mkdirSync(directory, { recursive: true });
  const files = (name: string): KeyPair => ({
    cert: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  });
  const authority = files('authority');
  const make = async ({ cert, key }: KeyPair, name: string, ...more: string[]): Promise<void> => {
    const subject = ['-days', '2', '-subj', `/CN=${name}`];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      ...subject,
      '-keyout',
      key,
      '-out',
      cert,
      ...more,
    ]);
    chmodSync(key, 0o600);
  };
  await make(authority, 'authority.test');
  const signed = [
    '-CA',
    authority.cert,
    '-CAkey',
    authority.key,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
  ];
  const [server, client] = [files('server'), files('client')];
  await make(server, 'mx.dest.test', ...signed);
  await make(client, 'laptop.sender.org', ...signed);
  return { authority: authority.cert, directory, server, client };
}
