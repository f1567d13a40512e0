/** What happens to mail while the milter is down. */
import { attachedTogether, attachLine } from '../attachment.ts';
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';
import { SHUTDOWN_VERSIONS } from '../postfix-versions.ts';

export const failureCheck = defineDoctorCheck({
  topic: 'When the milter is down',
  diagnoses: {
    'failure-tempfail': {
      severity: 'ok',
      meaning:
        'While we are down the MTA answers 4yz: mail waits at its sender, and none is lost. tempfail: 451 to each MAIL; shutdown: 421, and the connection is closed.',
      cure: null,
    },
    'failure-accept': {
      severity: 'warning',
      meaning:
        'While we are down mail passes unchecked: default_action=accept, or a Sendmail filter without F=. That is right only under --observe; if no configuration of ours was read, it is not known whether we only watch.',
      cure: 'Unless we only watch, set default_action=tempfail, or shutdown if your Postfix has it, or F=T.',
    },
    'failure-accept-observed': {
      severity: 'ok',
      meaning:
        'We only watch (--observe), and mail passes while we are down: default_action=accept, or a Sendmail filter without F=. So nothing waits for a milter that refuses nothing.',
      cure: null,
    },
    'failure-tempfail-observed': {
      severity: 'note',
      meaning:
        'We only watch (--observe), and yet mail waits at its sender while we are down. That is right once we act.',
      cure: 'As long as we only watch, set default_action=accept, or leave out F= of a Sendmail filter.',
    },
    'failure-reject': {
      severity: 'wrong',
      meaning: 'While we are down all mail is refused for good: default_action=reject, or F=R.',
      cure: 'Set default_action=tempfail, or shutdown if your Postfix has it, or F=T; accept, or no F=, as long as we only watch.',
    },
    'failure-quarantine': {
      severity: 'warning',
      meaning: 'While we are down all mail is taken and put on hold, until somebody releases it.',
      cure: 'Set default_action=tempfail, or shutdown if your Postfix has it; accept as long as we only watch.',
    },
    'failure-unknown': {
      severity: 'wrong',
      meaning: `Postfix does not know the default action that is set. It has shutdown from ${SHUTDOWN_VERSIONS} on, each within its line of releases.`,
      cure: 'Set default_action=tempfail; accept as long as we only watch.',
    },
  },
  run({ mta, options, optionsFile = null }) {
    if (mta === null) return [];
    const { observe } = options;
    // A milter that runs with flags of its own may only watch, although nothing here says so.
    const isKnown = observe || optionsFile !== null;
    const doubt = 'no configuration of ours was read';
    return attachedTogether(mta, options).map(({ service, ours }) => {
      const { onFailure } = ours;
      const cure = attachLine(mta, service, options);
      if (typeof onFailure === 'object') {
        return diagnosis(
          'failure-unknown',
          `Postfix does not know the default action "${onFailure.unknown}" of ${ours.socket} in ${service.title}`,
          cure,
        );
      }
      switch (onFailure) {
        case 'accept': {
          const seen = `${service.title} lets mail pass unchecked while we are down`;
          if (observe)
            return diagnosis('failure-accept-observed', `${seen}, as is right while we only watch`);
          const both = `: right if we only watch (observe = true), wrong if we act, and ${doubt}`;
          return diagnosis('failure-accept', isKnown ? seen : `${seen}${both}`, cure);
        }
        case 'reject':
          return diagnosis(
            'failure-reject',
            `${service.title} refuses all mail with 5yz while we are down`,
            cure,
          );
        case 'quarantine':
          return diagnosis(
            'failure-quarantine',
            `${service.title} puts all mail on hold while we are down`,
            cure,
          );
        case 'tempfail':
        case 'shutdown': {
          const answer = onFailure === 'tempfail' ? '451' : '421 and closes';
          const seen = `${service.title} answers ${answer} while we are down`;
          if (observe)
            return diagnosis('failure-tempfail-observed', `${seen}, though we only watch: accept fits`, cure);
          const both = `: right if we act; accept fits if we only watch (observe = true), and ${doubt}`;
          return diagnosis('failure-tempfail', isKnown ? seen : `${seen}${both}`);
        }
      }
    });
  },
});
