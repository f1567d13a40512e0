/** nginx's mail proxy before Postfix, in each way in which it can tell Postfix of its client, or does not. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Nsd, startNsd, withSystemPath } from './kit/nsd.ts';
import { type Postfix, shippedMainCf, startPostfix } from './kit/postfix.ts';
import { describeWith } from './kit/present.ts';
import { type Program, startProgram } from './kit/program.ts';
import { SmtpClient } from './kit/smtp-client.ts';
import { brief } from './kit/verdict.ts';
import { freePort, makeWorkdir, removeWorkdir } from './kit/workdir.ts';
import { ZONES } from './kit/zones.ts';
import { SENDER, STRANGER } from './scenarios.ts';

/** What nginx is set to, and whether the Postfix behind it expects the PROXY protocol. */
const WAYS = {
  'xclient on; proxy_protocol off;': false,
  'xclient on; proxy_protocol on;': true,
  'xclient off; proxy_protocol on;': true,
  'xclient off; proxy_protocol off;': false,
} as const;
type Way = keyof typeof WAYS;

const MODULE = '/usr/lib/nginx/modules/ngx_mail_module.so';

describeWith(['postfix', 'nsd', 'nginx', 'own network'], "nginx's mail proxy", () => {
  let workdir: string;
  let nsd: Nsd;
  let program: Program;
  let postfix: Postfix;
  let directions: Server;
  let nginx: ChildProcess;
  const ports = new Map<string, number>();

  beforeAll(async () => {
    workdir = makeWorkdir();
    nsd = await startNsd(workdir, ZONES);
    program = await startProgram(['--dns-server', nsd.server, '--grace', '0s']);
    postfix = await startPostfix(workdir, {
      mainCf: shippedMainCf(program.socket),
      milters: [null, `${program.socket} -o smtpd_upstream_proxy_protocol=haproxy`],
    });
    // nginx asks for each client where to pass it on to.
    directions = createServer((request, response) => {
      const proxied = request.headers['x-proxied'] === 'true';
      response.setHeader('Auth-Status', 'OK');
      response.setHeader('Auth-Server', '127.0.0.1');
      response.setHeader('Auth-Port', String(postfix.ports[Number(proxied)]));
      response.end();
    });
    const asked = await freePort();
    await new Promise<void>((resolve) => directions.listen(asked, '127.0.0.1', resolve));
    const directory = join(workdir, 'nginx');
    mkdirSync(directory);
    let servers = '';
    for (const [way, proxied] of Object.entries(WAYS)) {
      const port = await freePort();
      ports.set(way, port);
      servers += `  server { listen 127.0.0.1:${port}; protocol smtp; ${way} auth_http_header X-Proxied ${String(proxied)}; }\n`;
    }
    const file = join(directory, 'nginx.conf');
    const log = join(directory, 'error.log');
    const head = `load_module ${MODULE};\nuser root;\ndaemon off;\npid ${join(directory, 'pid')};\nerror_log ${log};\nevents {}\n`;
    const shared = `server_name mx.dest.test;\n  smtp_auth none;\n  auth_http http://127.0.0.1:${asked}/;\n`;
    writeFileSync(file, `${head}mail {\n  ${shared}${servers}}\n`);
    nginx = spawn('nginx', ['-p', directory, '-e', log, '-c', file], {
      stdio: 'inherit',
      env: withSystemPath(),
    });
    await vi.waitFor(async () => {
      for (const port of ports.values()) (await SmtpClient.connect(port)).close();
    }, 10_000);
  });

  afterAll(async () => {
    nginx.kill('SIGTERM');
    directions.close();
    await postfix.stop();
    await program.stop();
    await nsd.stop();
    removeWorkdir(workdir);
  });

  it.each<[Way, string, string, string, RegExp | null]>([
    [
      'xclient on; proxy_protocol off;',
      SENDER,
      'EHLO mail.sender.org',
      '250',
      / client=198\.51\.100\.7 helo=mail\.sender\.org /,
    ],
    [
      'xclient on; proxy_protocol off;',
      SENDER,
      'HELO gone.strange.org',
      '450 helo-nxdomain',
      / helo=gone\.strange\.org /,
    ],
    ['xclient on; proxy_protocol off;', STRANGER, 'EHLO Jupiter', '550 helo-not-fqdn', / helo=Jupiter /],
    // Postfix believes XCLIENT from the client that PROXY names, who is a stranger; nginx goes no further.
    ['xclient on; proxy_protocol on;', SENDER, 'EHLO mail.sender.org', '451', null],
    // nginx says its own name then.
    [
      'xclient off; proxy_protocol on;',
      SENDER,
      'EHLO mail.sender.org',
      '550 helo-claims-us',
      / client=198\.51\.100\.7 helo=mx\.dest\.test /,
    ],
    [
      'xclient off; proxy_protocol off;',
      STRANGER,
      'EHLO Jupiter',
      '250',
      / client=127\.0\.0\.1 helo=mx\.dest\.test .* exempt=loopback /,
    ],
  ])('%s %s says %s: %s', async (way, address, hello, wanted, told) => {
    const client = await SmtpClient.connect(ports.get(way) ?? 0, address);
    await client.say(hello);
    await client.say('MAIL FROM:<s@sender.org>');
    expect(brief(await client.say('RCPT TO:<r@dest.test>'))).toBe(wanted);
    client.close();
    if (told === null) return;
    await vi.waitFor(async () => {
      expect((await program.decisions()).at(-1)).toMatch(told);
    }, 10_000);
  });
});
