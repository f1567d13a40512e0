/**
 * Guard: no unit test may reach a name server that it did not start itself. Only datagrams to loopback are
 * allowed, and connections to port 53 on loopback; `node:dns` asks nobody.
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';

const LOOPBACK = /^(?:127\.|::1$)/;

function refuse(what: string): never {
  throw new Error(`${what} would use live DNS; tests are hermetic`);
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

function guard(prototype: object, method: string, allowed: (args: readonly unknown[]) => boolean): void {
  const methods = prototype as Record<string, Method>;
  const original = methods[method];
  if (original === undefined) throw new Error(`${method} is gone from Node`);
  methods[method] = function (this: unknown, ...args: unknown[]): unknown {
    if (!allowed(args)) refuse(`${method} ${args.map(String).join(' ')}`);
    return original.apply(this, args);
  };
}

guard(dgram.Socket.prototype, 'connect', ([, address]) => LOOPBACK.test(String(address)));
guard(dgram.Socket.prototype, 'send', (args) =>
  args.filter((arg) => typeof arg === 'string').every((address) => LOOPBACK.test(address)),
);
guard(net.Socket.prototype, 'connect', ([first]) => {
  const [options] = Array.isArray(first) ? (first as unknown[]) : [first];
  const { port, host } = options as { port?: unknown; host?: unknown };
  return Number(port) !== 53 || LOOPBACK.test(String(host));
});
for (const resolverClass of [dns.promises.Resolver, dns.Resolver]) {
  const prototype = resolverClass.prototype as object;
  for (const method of [
    ...Object.getOwnPropertyNames(Object.getPrototypeOf(prototype) ?? {}),
    ...Object.getOwnPropertyNames(prototype),
  ]) {
    if (method.startsWith('resolve') || method === 'reverse') guard(prototype, method, () => false);
  }
}
