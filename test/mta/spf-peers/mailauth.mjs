/**
 * Reads `IP<TAB>SENDER<TAB>DOMAIN` lines, writes what mailauth says about each. The arguments are the port of
 * a resolver on 127.0.0.1 and the directory that mailauth was installed in.
 */
import { promises as dns } from 'node:dns';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [, , port, directory] = process.argv;
const { spf } = createRequire(`${directory}/`)('mailauth/lib/spf');
const server = new dns.Resolver();
server.setServers([`127.0.0.1:${port}`]);
const resolver = (name, type) => server.resolve(name, type);

for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [ip, sender, helo] = line.split('\t');
  try {
    const { status } = await spf({ ip, sender, helo, resolver });
    console.log(status.result);
  } catch (error) {
    console.log(`exception ${error.name}`);
  }
}
