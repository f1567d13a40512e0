/**
 * The Node of Debian 13, whose own resolver caches answers without telling anybody. We do not use that
 * resolver: a corrected name counts as soon as our own cache drops the old answer.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DnsStub, type Script, startDnsStub } from '../support/dns-stub.ts';
import { askMilter } from './kit/milter-client.ts';
import { describeWith, PARTS } from './kit/present.ts';
import { OURS, type Program, startProgram } from './kit/program.ts';

const NODE = join(PARTS, 'node-20.19.2/bin/node');
const NAME = 'mail.sender.org';
const MENDED: Script = [{ name: NAME, type: 'A', ttl: 300, data: '198.51.100.7' }];

describeWith(['node-20.19.2'], 'a Node that keeps DNS answers', () => {
  let stub: DnsStub;
  let program: Program;

  beforeAll(async () => {
    stub = await startDnsStub();
    // Our own cache is off: if anything outlives a session, it is Node that keeps it.
    program = await startProgram(['--dns-server', stub.server, '--cache-size', '0'], {
      installed: { ...OURS, node: NODE },
    });
  });

  afterAll(async () => {
    await program.stop();
    await stub.close();
  });

  it('is one: left alone, it lets no second question reach the server', async () => {
    stub.script({ 'kept.org': [] });
    const script = `
      const { Resolver } = require('node:dns').promises;
      const resolver = new Resolver();
      resolver.setServers(['${stub.server}']);
      const ask = () => resolver.resolve4('kept.org').catch(({ code }) => code);
      ask().then(ask).then((code) => console.log(process.version, code));
    `;
    const { stdout } = await promisify(execFile)(NODE, ['-e', script]);
    expect(stdout).toBe('v20.19.2 ENODATA\n');
    expect(stub.questions.filter((question) => question === 'kept.org A')).toHaveLength(1);
  });

  it.each<[string, Script]>([
    ['does not exist', 'nxdomain'],
    ['has no address', []],
  ])('asks again for a name that %s, and accepts it once it is fixed', async (_, broken) => {
    const asked = (): number => stub.questions.filter((question) => question === `${NAME} A`).length;
    // The domain itself exists, or the refusal would be another.
    const domain: Record<string, Script> = { 'sender.org': [] };
    stub.script({ ...domain, [NAME]: broken });
    const before = asked();
    expect(await askMilter(program.socket, NAME)).toMatch(/^450 /);
    expect(asked()).toBe(before + 1);
    stub.script({ ...domain, [`${NAME} A`]: MENDED, [NAME]: [] });
    expect(await askMilter(program.socket, NAME)).toMatch(/^(?:accept|continue)$/);
    expect(asked()).toBe(before + 2);
  });
});
