/** Clients that should never be refused: users at the submission services, and our own networks. */
import { type IpPrefix, networkText, prefixContains } from '../../core/ip.ts';

import { attached } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';

type Id =
  | 'submission-judged'
  | 'submission-judged-at-helo'
  | 'inbound-exempt'
  | 'exempt-daemon-unknown'
  | 'mynetworks-not-trusted';

export const exemptionsCheck = defineDoctorCheck({
  topic: 'Our users and networks',
  diagnoses: {
    'submission-judged': {
      severity: 'note',
      meaning:
        'A submission service hands its sessions to us. Users who have logged in are never refused, so looking up their HELO names serves no purpose.',
      cure: 'Exempt the service with --exempt-daemon, or give it an empty list of milters.',
    },
    'submission-judged-at-helo': {
      severity: 'wrong',
      meaning: 'With --apply-at helo, a submission service refuses its users before they can log in.',
      cure: 'Exempt the service with --exempt-daemon, or use --apply-at rcpt.',
    },
    'inbound-exempt': {
      severity: 'wrong',
      meaning:
        '--exempt-daemon names the service for mail from outside, by its {daemon_name} or {daemon_port}: nobody is ever refused there.',
      cure: 'Name the port of the submission service, or give that service a milter_macro_daemon_name of its own.',
    },
    'exempt-daemon-unknown': {
      severity: 'warning',
      meaning:
        'No service that hands us sessions has this name. Postfix calls every service by milter_macro_daemon_name ($myhostname unless set), and by its port.',
      cure: 'Use the port number, such as 587.',
    },
    'mynetworks-not-trusted': {
      severity: 'note',
      meaning:
        'Postfix trusts networks that we do not: printers, scanners and laptops there are judged by their HELO.',
      cure: 'Name the networks with --trust.',
    },
  },
  run({ mta, options }) {
    if (mta === null) return [];
    const found: Diagnosis<Id>[] = [];
    const there = attached(mta, options);
    const exempt = (macros: readonly string[]): string | undefined =>
      options.exemptDaemon.find((name) => macros.includes(name));
    for (const { service } of there) {
      const name = exempt(service.macros);
      if (service.role === 'inbound' && name !== undefined) {
        found.push(
          diagnosis(
            'inbound-exempt',
            `--exempt-daemon ${name} exempts ${service.title}, which takes mail from everybody`,
          ),
        );
      }
      if (service.role !== 'submission' || name !== undefined) continue;
      const port = service.macros.at(-1) ?? '587';
      const cure: [string, string] = ['helo-milter', `--exempt-daemon ${port}`];
      found.push(
        options.applyAt === 'helo'
          ? diagnosis('submission-judged-at-helo', `${service.title} refuses at HELO, before login`, cure)
          : diagnosis('submission-judged', `${service.title} hands its sessions to us`, cure),
      );
    }
    for (const name of there.length === 0 ? [] : options.exemptDaemon) {
      if (there.some(({ service }) => service.macros.includes(name))) continue;
      found.push(diagnosis('exempt-daemon-unknown', `no service that we serve is called ${name}`));
    }
    const strangers = mta.networks.filter((network) => !isWithinNetworks(network, options.trust));
    if (strangers.length > 0) {
      const texts = strangers.map(({ address, length }) => networkText(address, length));
      found.push(
        diagnosis('mynetworks-not-trusted', `mynetworks has ${texts.join(', ')}, which --trust does not`, [
          'helo-milter',
          texts.map((text) => `--trust ${text}`).join(' '),
        ]),
      );
    }
    return found;
  },
});

function isWithinNetworks({ address, length }: IpPrefix, networks: readonly IpPrefix[]): boolean {
  return networks.some((network) => network.length <= length && prefixContains(network, address));
}
