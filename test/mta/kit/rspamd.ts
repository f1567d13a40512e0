/**
 * A private rspamd on loopback: Debian's program and plugins, with only those modules on that a test wants.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './workdir.ts';

export interface Rspamd {
  /** Its milter, as Postfix spells it. */
  readonly socket: string;
  /** Symbols that it finds in a message. */
  scan(message: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** `modules`: sections of rspamd.conf, such as `regexp { … }`. */
export async function startRspamd(workdir: string, modules: string): Promise<Rspamd> {
  const base = join(workdir, 'rspamd-run');
  mkdirSync(base);
  const [scanner, milter] = [await freePort(), await freePort()];
  const conf = join(base, 'rspamd.conf');
  // The real list takes a busy machine a minute to compile.
  writeFileSync(join(base, 'suffixes'), 'org\ntest\n');
  writeFileSync(
    conf,
    `options {
  pidfile = "${base}/pid"; control_socket = "${base}/control mode=0600";
  cache_file = "${base}/symbols"; hs_cache_dir = "${base}"; stats_file = "${base}/stats"; history_file = "${base}/history";
  url_tld = "${base}/suffixes";
  filters = "regexp";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "error"; }
metric { name = "default"; actions { reject = 1000; add_header = 500; } }
worker "normal" { bind_socket = "127.0.0.1:${scanner}"; count = 1; }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:${milter}"; count = 1; milter = yes; timeout = 20s;
  upstream "local" { default = yes; self_scan = yes; }
}
lua = "/usr/share/rspamd/rules/rspamd.lua";
modules { path = "/usr/share/rspamd/plugins"; }
${modules}
`,
  );
  const child = spawn('rspamd', ['-f', '-u', 'root', '-g', 'root', '-c', conf], { stdio: 'ignore' });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const gone = new Promise((resolve) => child.once('close', resolve));
  const scan = async (message: string): Promise<string[]> => {
    const response = await fetch(`http://127.0.0.1:${scanner}/checkv2`, { method: 'POST', body: message });
    const { symbols } = (await response.json()) as { symbols: Record<string, unknown> };
    return Object.keys(symbols);
  };
  // rspamd listens before it can answer.
  for (let i = 0; ; i++) {
    try {
      await scan('Subject: t\r\n\r\nbody\r\n');
      break;
    } catch (error) {
      if (i > 1200 || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    socket: `inet:127.0.0.1:${milter}`,
    scan,
    stop: async () => {
      process.off('exit', kill);
      // On SIGTERM its workers take their time.
      child.kill('SIGTERM');
      const hurry = setTimeout(kill, 3000);
      await gone;
      clearTimeout(hurry);
    },
  };
}
