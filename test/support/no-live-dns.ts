/**
 * Guard: no unit test may reach a name server that it did not start itself. `node:dns` resolvers stay usable
 * (the tests of `src/dns.ts` talk to a scripted server on loopback), but only once `setServers` has named
 * loopback addresses, and the look-ups that read the system's resolver configuration throw at once.
 */
import dns from 'node:dns';

const LOOPBACK = /^(?:127\.|\[::1\]|::1)/;

function refuse(what: string): never {
  throw new Error(`${what} would use live DNS; tests are hermetic`);
}

for (const resolverClass of [dns.promises.Resolver, dns.Resolver]) {
  const prototype = resolverClass.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(prototype) ?? {}).concat(
    Object.getOwnPropertyNames(prototype),
  )) {
    if (!method.startsWith('resolve') && method !== 'reverse') continue;
    const original = prototype[method];
    if (typeof original !== 'function') continue;
    prototype[method] = function (this: dns.Resolver, ...args: unknown[]): unknown {
      if (!this.getServers().every((server) => LOOPBACK.test(server))) refuse(`Resolver.${method}`);
      return original.apply(this, args);
    };
  }
}
