/** The name servers: everything we say about a name depends on what they answer. */
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import { publicOperator } from '../public-resolvers.ts';
import { LOCAL_SERVER, type ServerFacts } from '../resolver.ts';

/** An assessment takes two round trips, and some more for SPF, while the client waits. */
const SLOW_MS = 100;

type Id =
  | 'dns-sound'
  | 'dns-silent'
  | 'dns-server-silent'
  | 'dns-invents-answers'
  | 'dns-no-reverse'
  | 'dns-slow'
  | 'dns-public'
  | 'dns-not-validating'
  | 'dns-zone-in-use';

export const resolverCheck = defineDoctorCheck({
  topic: 'DNS',
  diagnoses: {
    'dns-sound': { severity: 'ok', meaning: 'The name server answers as it should.', cure: null },
    'dns-silent': {
      severity: 'wrong',
      meaning: 'No name server answers, or none finds example.com, which exists: no name can be checked.',
      cure: 'Name a resolver that answers with --dns-server, or fix the one that is named, or /etc/resolv.conf. If there is none, install one, such as unbound, and name it: installing it alone does not change whom we ask.',
    },
    'dns-server-silent': {
      severity: 'warning',
      meaning: 'One of the name servers does not answer. The others stand in for it, but answers come later.',
      cure: 'Remove it from --dns-server or /etc/resolv.conf, or fix it.',
    },
    'dns-invents-answers': {
      severity: 'wrong',
      meaning:
        'The name server gives an address for a name that does not exist: helo-nxdomain and helo-unregistered can never be found.',
      cure: 'Use a resolver that does not; one on this host, such as unbound, is best.',
    },
    'dns-no-reverse': {
      severity: 'warning',
      meaning:
        'The name server does not give the reverse name of a root server: reverse names cannot be checked.',
      cure: 'Use a resolver that serves in-addr.arpa and ip6.arpa.',
    },
    'dns-slow': {
      severity: 'warning',
      meaning: `The server takes more than ${SLOW_MS} ms even for a name in its cache.`,
      cure: 'Run a resolver, such as unbound, on this host or in this network.',
    },
    'dns-public': {
      severity: 'warning',
      meaning:
        'This is a public resolver. It limits how much one host may ask, and DNS lists refuse its questions.',
      cure: 'Run a resolver of your own, such as unbound.',
    },
    'dns-not-validating': {
      severity: 'note',
      meaning:
        'The name server passes on answers with bad signatures. Anyone who can forge DNS answers can then claim any name.',
      cure: 'Turn on DNSSEC validation in the resolver.',
    },
    'dns-zone-in-use': {
      severity: 'note',
      meaning: '--dns-zone is set: all answers come from a file, and no server is asked.',
      cure: 'Remove --dns-zone once you have finished experimenting.',
    },
  },
  run({ servers, local = null, options }) {
    if (options.dnsZone !== null)
      return [diagnosis('dns-zone-in-use', `answers come from ${options.dnsZone}`)];
    if (servers === null) return [];
    if (servers.every(({ fault }) => fault !== null)) {
      const each = servers.map(({ server, fault }) => `${server} ${fault ?? ''}`.trim());
      return [
        diagnosis(
          'dns-silent',
          each.length === 0 ? 'no name server is set' : each.join(', '),
          ...others(servers, local),
        ),
      ];
    }
    return servers.flatMap((facts) => diagnose(facts, others(servers, local)));
  },
});

type Lines = readonly (readonly [file: string, line: string])[];

/**
 * How to get another resolver: name those that were asked and found good, or else the one on this host. If
 * there is none, install one, unless one is there with faults of its own.
 */
function others(servers: readonly ServerFacts[], local: ServerFacts | null): Lines {
  const isSound = (each: ServerFacts): boolean => faults(each, []).length === 0;
  const sound = servers.filter(isSound);
  const named = sound.length > 0 ? sound : local !== null && isSound(local) ? [local] : [];
  if (named.length > 0) {
    return [['helo-milter', named.map(({ server }) => `--dns-server ${server}`).join(' ')]];
  }
  const here = local ?? servers.find(({ server }) => server.replace(/:53$/, '') === LOCAL_SERVER);
  return here === undefined || here.fault === null
    ? []
    : [
        ['shell', 'apt install unbound'],
        ['helo-milter', `--dns-server ${LOCAL_SERVER}`],
      ];
}

function diagnose(facts: ServerFacts, instead: Lines): Diagnosis<Id>[] {
  const { server, medianMs, validates } = facts;
  const found = faults(facts, instead);
  const ms = medianMs === null ? '' : `${Math.ceil(medianMs)} ms`;
  const sound = found.length === 0;
  if (validates === false) {
    found.push(
      diagnosis('dns-not-validating', `${server} answers for a name with a bad signature`, [
        'unbound.conf',
        'auto-trust-anchor-file: "/var/lib/unbound/root.key"',
      ]),
    );
  }
  const signed = validates === true ? ' and validates' : '';
  return sound ? [diagnosis('dns-sound', `${server} answers in ${ms}${signed}`), ...found] : found;
}

function faults(facts: ServerFacts, instead: Lines): Diagnosis<Id>[] {
  const { server, fault, medianMs, invented, reverse } = facts;
  if (fault !== null) return [diagnosis('dns-server-silent', `${server} does not answer: ${fault}`)];
  const found: Diagnosis<Id>[] = invented.map(({ name, address }) =>
    diagnosis(
      'dns-invents-answers',
      `${server} says that ${name}, which does not exist, is at ${address}`,
      ...instead,
    ),
  );
  const operator = publicOperator(server);
  if (operator !== null) found.push(diagnosis('dns-public', `${server} is ${operator}`, ...instead));
  if (reverse !== 'found') {
    found.push(
      diagnosis(
        'dns-no-reverse',
        `${server} answers ${reverse} for the reverse name of a root server`,
        ...instead,
      ),
    );
  }
  if (medianMs !== null && medianMs > SLOW_MS)
    found.push(
      diagnosis('dns-slow', `${server} takes ${Math.ceil(medianMs)} ms for a name in its cache`, ...instead),
    );
  return found;
}
