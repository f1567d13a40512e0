/** What the MTA itself does with HELO, and what keeps sessions from us. */
import { attached } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import type { Mta } from '../mta.ts';
import { splitList } from '../postfix-value.ts';

/** Restrictions that check in HELO what we check; the last three are their names before Postfix 2.3. */
const DUPLICATES =
  /^reject_(?:unknown_helo_hostname|invalid_helo_hostname|non_fqdn_helo_hostname|unknown_hostname|invalid_hostname|non_fqdn_hostname)$/;

type Id =
  | 'postfix-delay-reject-off'
  | 'postfix-duplicate-helo-check'
  | 'postfix-soft-bounce'
  | 'postfix-postscreen'
  | 'postfix-proxy-protocol'
  | 'postfix-xclient';

export const restrictionsCheck = defineDoctorCheck({
  topic: 'HELO in the MTA itself',
  diagnoses: {
    'helo-required': { severity: 'ok', meaning: 'A client must say HELO before MAIL.', cure: null },
    'helo-not-required': {
      severity: 'warning',
      meaning: 'A client may leave HELO out, and then there is nothing to check.',
      cure: 'Postfix: smtpd_helo_required = yes. Sendmail: needmailhelo among the privacy flags.',
    },
    'postfix-delay-reject-off': {
      severity: 'note',
      meaning:
        'smtpd_delay_reject=no: clients that smtpd_client_restrictions or smtpd_helo_restrictions refuse are refused before RCPT, so they cannot reach postmaster, and the recipient is not logged.',
      cure: 'Set smtpd_delay_reject = yes, the default.',
    },
    'postfix-duplicate-helo-check': {
      severity: 'warning',
      meaning:
        'Postfix checks HELO with its own restrictions and refuses before we are asked: --observe, weights, exemptions and our reply texts have no effect on that, and DNS is asked twice.',
      cure: 'Remove these restrictions.',
    },
    'postfix-soft-bounce': {
      severity: 'warning',
      meaning:
        'soft_bounce turns every 5yz into 4yz, ours too: senders retry what we reject again and again.',
      cure: 'Set soft_bounce = no once you have finished experimenting.',
    },
    'postfix-postscreen': {
      severity: 'note',
      meaning:
        'postscreen comes first, and we never see the clients that it refuses. The two go well together.',
      cure: null,
    },
    'postfix-proxy-protocol': {
      severity: 'note',
      meaning: 'A proxy tells Postfix the address of the client, and Postfix tells us.',
      cure: null,
    },
    'postfix-xclient': {
      severity: 'warning',
      meaning:
        'These hosts may give Postfix another client address with XCLIENT, and we judge that one. If they also give its HELO name with XCLIENT HELO= and say no EHLO afterwards, Postfix does not pass that name on: the message counts as one without HELO, and passes unjudged.',
      cure: 'Have the proxy say EHLO with the name of its client after XCLIENT, or use the PROXY protocol; --weight helo-missing=10 refuses mail without HELO. Name only the hosts that need it.',
    },
  },
  run({ mta, options }) {
    if (mta === null) return [];
    const there = attached(mta, options);
    // Programs on this host need no HELO, unless there is no other service.
    const inbound = there.some(({ service }) => service.role !== 'local');
    const lax = there.filter(
      ({ service }) => !service.heloRequired && !(inbound && service.role === 'local'),
    );
    const [first] = lax;
    const required =
      first === undefined
        ? diagnosis('helo-required', 'clients must say HELO before MAIL')
        : diagnosis(
            'helo-not-required',
            `${lax.map(({ service }) => service.title).join(', ')} takes mail from clients that do not say HELO`,
            mta.kind === 'postfix'
              ? ['main.cf', 'smtpd_helo_required = yes']
              : [
                  'sendmail.mc',
                  `define(\`confPRIVACY_FLAGS', \`${[...mta.privacy, 'needmailhelo'].join(',')}')dnl`,
                ],
          );
    return [...(there.length === 0 ? [] : [required]), ...(mta.kind === 'postfix' ? postfixOnly(mta) : [])];
  },
});

function postfixOnly({ config }: Mta & { readonly kind: 'postfix' }): Diagnosis<Id>[] {
  const found: Diagnosis<Id>[] = [];
  const early = ['smtpd_client_restrictions', 'smtpd_helo_restrictions'].filter((name) =>
    /\b(?:reject|check_)/.test(config.value(name)),
  );
  if (!config.isYes('smtpd_delay_reject') && early.length > 0) {
    found.push(
      diagnosis('postfix-delay-reject-off', `${early.join(' and ')} refuse before RCPT`, [
        'main.cf',
        'smtpd_delay_reject = yes',
      ]),
    );
  }
  found.push(...duplicates(config));
  if (config.isYes('soft_bounce')) {
    found.push(
      diagnosis('postfix-soft-bounce', 'soft_bounce makes our 5yz a 4yz', ['main.cf', 'soft_bounce = no']),
    );
  }
  const screen = config.services.find(({ command }) => command === 'postscreen');
  if (screen !== undefined) {
    found.push(
      diagnosis(
        'postfix-postscreen',
        `postscreen takes ${screen.name} and passes on the clients that it accepts`,
      ),
    );
  }
  for (const name of ['smtpd_upstream_proxy_protocol', 'postscreen_upstream_proxy_protocol']) {
    const value = config.value(name);
    if (value !== '') found.push(diagnosis('postfix-proxy-protocol', `${name} = ${value}`));
  }
  const xclient = 'smtpd_authorized_xclient_hosts';
  for (const service of [undefined, ...config.services.filter(({ overrides }) => overrides.has(xclient))]) {
    const hosts = config.value(xclient, service);
    if (hosts === '') continue;
    const where = service === undefined ? '' : `${service.name} ${service.type}: `;
    found.push(diagnosis('postfix-xclient', `${where}${xclient} = ${hosts}`));
  }
  return found;
}

/** In the lists of main.cf and master.cf, and in the operator's own classes of restrictions. */
function duplicates(config: (Mta & { readonly kind: 'postfix' })['config']): Diagnosis<Id>[] {
  const classes = splitList(config.value('smtpd_restriction_classes'));
  const found: Diagnosis<Id>[] = [];
  for (const name of [...config.names(/^smtpd_\w+_restrictions$/), ...classes]) {
    for (const service of [undefined, ...config.services.filter((each) => each.overrides.has(name))]) {
      const items = splitList(config.value(name, service));
      const double = items.filter((item) => DUPLICATES.test(item));
      if (double.length === 0) continue;
      const rest = items.filter((item) => !DUPLICATES.test(item)).join(', ');
      found.push(
        diagnosis(
          'postfix-duplicate-helo-check',
          `${name} has ${double.join(', ')}`,
          service === undefined
            ? ['main.cf', `${name} = ${rest}`.trim()]
            : ['master.cf', `${service.name} ${service.type}: -o { ${name} = ${rest} }`],
        ),
      );
    }
  }
  return found;
}
