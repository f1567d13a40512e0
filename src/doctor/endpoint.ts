/** Whether the socket that an MTA connects to is one that we listen on. */
import { parseIp } from '../core/ip.ts';
import type { SocketAddress } from '../milter/index.ts';
import type { Dialled } from './mta.ts';

export type { SocketAddress };

/** Ports that have names in Debian's /etc/services and serve milters or mail. */
const PORTS: Readonly<Record<string, number>> = { smtp: 25, submission: 587, submissions: 465, smtps: 465 };

/** The number of a port, which may be given by name; null for an unknown name. */
export function portNumber(text: string): number | null {
  return /^\d{1,5}$/.test(text) ? Number(text) : (PORTS[text.toLowerCase()] ?? null);
}

/**
 * Postfix: `inet:HOST:PORT`, or `unix:PATH`, which is relative to the queue directory in a chroot or without
 * a slash.
 */
export function dialledByPostfix(socket: string, queue: string, chrooted: boolean | null): Dialled {
  const path = /^unix:(.+)$/s.exec(socket)?.[1];
  if (path === undefined) {
    const [, host = '', port = ''] = /^inet:(.*):([^:]+)$/.exec(socket) ?? [];
    return inet(host, port);
  }
  const below = `${queue.replace(/\/$/, '')}/${path.replace(/^\/+/, '')}`;
  const paths =
    !path.startsWith('/') || chrooted === true ? [below] : chrooted === false ? [path] : [path, below];
  return { kind: 'unix', path, paths };
}

/** Sendmail: `inet:PORT@HOST`, `local:/PATH` or a bare path. */
export function dialledBySendmail(socket: string): Dialled {
  const path = /^(?:(?:unix|local):)?(\/.*)$/s.exec(socket)?.[1];
  if (path !== undefined) return { kind: 'unix', path, paths: [path] };
  const [, port = '', host = ''] = /^inet6?:([^@]+)@(.+)$/.exec(socket) ?? [];
  return inet(host, port);
}

function inet(host: string, port: string): Dialled {
  const number = portNumber(port);
  if (host === '' || number === null) return { kind: 'unknown' };
  return { kind: 'inet', host: host.replace(/^\[(.*)\]$/, '$1').toLowerCase(), port: number };
}

/** `unknown` if the socket is handed over by another program, or its port is chosen at the start. */
export function leadsTo(dialled: Dialled, listen: SocketAddress): 'yes' | 'no' | 'unknown' {
  if (listen.kind === 'fd') return 'unknown';
  if (listen.kind === 'unix') {
    return dialled.kind === 'unix' && dialled.paths.some((path) => plain(path) === plain(listen.path))
      ? 'yes'
      : 'no';
  }
  if (dialled.kind !== 'inet') return 'no';
  if (listen.port === 0) return 'unknown';
  return dialled.port === listen.port && reaches(dialled.host, listen.host) ? 'yes' : 'no';
}

function plain(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/').replaceAll('/./', '/');
}

function reaches(host: string, listen: string): boolean {
  const [to, at] = [canonical(host), canonical(listen)];
  // A socket on all addresses is reached by any name; only DNS could say whether the name is this host's.
  if (at === '0.0.0.0') return parseIp(to)?.family !== 6;
  if (at === '::') return true;
  if (to === 'localhost' || at === 'localhost') {
    return [to, at].every((each) => each === 'localhost' || each === '::1' || each.startsWith('127.'));
  }
  return to === at;
}

function canonical(host: string): string {
  return parseIp(host)?.text ?? host.toLowerCase();
}

/** As Postfix spells it, for a line to write; a socket in the queue directory is relative to that. */
export function socketForPostfix(listen: SocketAddress, queue: string, chrooted: boolean | null): string {
  switch (listen.kind) {
    case 'inet':
      return `inet:${bracketed(dialHost(listen.host))}:${listen.port}`;
    case 'unix': {
      const within = listen.path.startsWith(`${queue}/`);
      return `unix:${within && chrooted !== false ? listen.path.slice(queue.length + 1) : listen.path}`;
    }
    case 'fd':
      return 'SOCKET';
  }
}

export function socketForSendmail(listen: SocketAddress): string {
  switch (listen.kind) {
    case 'inet': {
      const host = dialHost(listen.host);
      return `${host.includes(':') ? 'inet6' : 'inet'}:${listen.port}@${host}`;
    }
    case 'unix':
      return `local:${listen.path}`;
    case 'fd':
      return 'SOCKET';
  }
}

/** All addresses of a host include its loopback. */
export function dialHost(host: string): string {
  const address = parseIp(host)?.text ?? host;
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
