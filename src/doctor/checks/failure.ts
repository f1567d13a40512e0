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
        'While we are down mail passes unchecked: default_action=accept, or a Sendmail filter without F=.',
      cure: 'Set default_action=tempfail, or shutdown if your Postfix has it, or F=T.',
    },
    'failure-reject': {
      severity: 'wrong',
      meaning: 'While we are down all mail is refused for good: default_action=reject, or F=R.',
      cure: 'Set default_action=tempfail, or shutdown if your Postfix has it, or F=T.',
    },
    'failure-quarantine': {
      severity: 'warning',
      meaning: 'While we are down all mail is taken and put on hold, until somebody releases it.',
      cure: 'Set default_action=tempfail, or shutdown if your Postfix has it.',
    },
    'failure-unknown': {
      severity: 'wrong',
      meaning: `Postfix does not know the default action that is set. It has shutdown from ${SHUTDOWN_VERSIONS} on, each within its line of releases.`,
      cure: 'Set default_action=tempfail.',
    },
  },
  run({ mta, options }) {
    if (mta === null) return [];
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
        case 'accept':
          return diagnosis(
            'failure-accept',
            `${service.title} lets mail pass unchecked while we are down`,
            cure,
          );
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
          return diagnosis('failure-tempfail', `${service.title} answers 451 while we are down`);
        case 'shutdown':
          return diagnosis('failure-tempfail', `${service.title} answers 421 and closes while we are down`);
      }
    });
  },
});
