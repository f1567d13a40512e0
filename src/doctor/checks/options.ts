/** Where the options come from that are compared with the MTA. */
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';

export const optionsCheck = defineDoctorCheck({
  topic: 'Options of the milter',
  diagnoses: {
    'options-read': {
      severity: 'ok',
      meaning:
        'A configuration file was read: that of --config or HELO_MILTER_CONFIG, or else /etc/helo-milter.toml, which the service reads under its unit. --no-config leaves it alone.',
      cure: null,
    },
  },
  run({ optionsFile = null }) {
    return optionsFile === null ? [] : [diagnosis('options-read', `read from ${optionsFile}`)];
  },
});
