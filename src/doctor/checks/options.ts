/** Where the options that are compared with the MTA came from. */
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';

export const optionsCheck = defineDoctorCheck({
  topic: 'Options of the milter',
  diagnoses: {
    'options-read': {
      severity: 'ok',
      meaning:
        'A configuration file was read: the one named by --config or HELO_MILTER_CONFIG, else /etc/helo-milter.toml, which the service reads under its unit. With --no-config none is read.',
      cure: null,
    },
  },
  run({ optionsFile = null }) {
    return optionsFile === null ? [] : [diagnosis('options-read', `read from ${optionsFile}`)];
  },
});
