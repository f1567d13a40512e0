/** Whether what is learned about senders outlives a restart. */
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';

export const regularsCheck = defineDoctorCheck({
  topic: 'Regulars',
  diagnoses: {
    'regulars-kept': {
      severity: 'ok',
      meaning: 'The user of --user may write the file of --regulars-file.',
      cure: null,
    },
    'regulars-unseen': {
      severity: 'note',
      meaning:
        'It is not known here which user the service has, or we may not look at the directory of --regulars-file. Under our unit it may write below /var/lib/helo-milter and /var/log/helo-milter, and nowhere else.',
      cure: 'Run doctor as root, and give it the --user of the service if it has one.',
    },
    'regulars-directory-missing': {
      severity: 'warning',
      meaning: 'The directory of --regulars-file is not there: the service does not start.',
      cure: 'Create it for the user of the service. Our unit makes /var/lib/helo-milter at its first start (StateDirectory).',
    },
    'regulars-unwritable': {
      severity: 'warning',
      meaning:
        'The user of --user may not write to the directory of --regulars-file: a restart forgets what was learned.',
      cure: 'Give the directory to that user; the file is replaced as a whole, so that its own owner does not matter.',
    },
  },
  run({ options: { user }, regularsFile = null }) {
    if (regularsFile === null) return [];
    const { path, directory, state } = regularsFile;
    switch (state) {
      case 'writable':
        return [diagnosis('regulars-kept', `${user ?? 'the service'} may write ${path}`)];
      case 'unseen':
        return [diagnosis('regulars-unseen', `whether the service may write ${path} is not known`)];
      case 'absent':
        return [
          diagnosis('regulars-directory-missing', `there is no directory ${directory}`, [
            'shell',
            `install -d -m 700${user === null ? '' : ` -o ${user}`} ${directory}`,
          ]),
        ];
      case 'unwritable':
        return [
          diagnosis('regulars-unwritable', `${user ?? 'the service'} may not write to ${directory}`, [
            'shell',
            `chown ${user ?? ''} ${directory}`,
          ]),
        ];
    }
  },
});
