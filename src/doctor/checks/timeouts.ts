/** How long the MTA waits, compared with our own deadline. */
import { formatDuration } from '../../config/values.ts';
import { attachedTogether, attachLine } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';

/** Between our deadline and the MTA's the answer has to travel, on a host that may be busy. */
const MARGIN_MS = 1000;
/**
 * SMTP clients wait five minutes for the answers to MAIL and RCPT (RFC 5321 §4.5.3.2); most have less
 * patience.
 */
const LONG_MS = 60_000;
/** If we ask for the header, the MTA has to write a whole message to us within this time. */
const CONTENT_MS = 10_000;

export const timeoutsCheck = defineDoctorCheck({
  topic: 'Time limits',
  diagnoses: {
    'timeouts-sound': { severity: 'ok', meaning: 'The MTA waits longer than we take.', cure: null },
    'timeout-short': {
      severity: 'wrong',
      meaning:
        'The MTA waits less than --deadline plus one second: when DNS is slow, it takes us for dead. Postfix: command_timeout; Sendmail: R (10s unless set) and S.',
      cure: 'Raise the limit of the MTA, or lower --deadline.',
    },
    'timeout-long': {
      severity: 'note',
      meaning:
        'The MTA waits more than a minute for one answer; if we hung, its clients would give up first.',
      cure: 'Set the limit a few seconds above --deadline.',
    },
    'content-timeout-short': {
      severity: 'warning',
      meaning: 'The MTA allows less than 10 seconds for the whole message.',
      cure: 'Set content_timeout (Sendmail: E) to 30s or more.',
    },
    'dns-timeout-above-deadline': {
      severity: 'warning',
      meaning:
        '--dns-timeout is not below --deadline: one dead name server uses up the time for a whole assessment.',
      cure: 'Set --dns-timeout to half of --deadline or less.',
    },
  },
  run({ mta, options }) {
    const { deadline, dnsTimeout } = options;
    const found: Diagnosis<
      | 'timeouts-sound'
      | 'timeout-short'
      | 'timeout-long'
      | 'content-timeout-short'
      | 'dns-timeout-above-deadline'
    >[] = [];
    const services = mta === null ? [] : attachedTogether(mta, options).map((each) => ({ ...each, mta }));
    for (const { service, ours, mta: owner } of services) {
      const cure = attachLine(owner, service, options);
      const waits = `${service.title} waits ${formatDuration(ours.commandMs)} for an answer`;
      const before = found.length;
      if (ours.commandMs < deadline + MARGIN_MS) {
        found.push(
          diagnosis('timeout-short', `${waits}, and --deadline is ${formatDuration(deadline)}`, cure, [
            'helo-milter',
            `--deadline ${formatDuration(Math.max(100, ours.commandMs - 2 * MARGIN_MS))}`,
          ]),
        );
      } else if (ours.commandMs > LONG_MS) {
        found.push(diagnosis('timeout-long', waits, cure));
      }
      if (ours.contentMs < CONTENT_MS) {
        found.push(
          diagnosis(
            'content-timeout-short',
            `${service.title} allows ${formatDuration(ours.contentMs)} for a whole message`,
            cure,
          ),
        );
      }
      if (found.length === before) {
        found.push(diagnosis('timeouts-sound', `${waits}; --deadline is ${formatDuration(deadline)}`));
      }
    }
    if (dnsTimeout >= deadline) {
      found.push(
        diagnosis(
          'dns-timeout-above-deadline',
          `--dns-timeout ${formatDuration(dnsTimeout)} leaves nothing of --deadline ${formatDuration(deadline)}`,
          ['helo-milter', `--dns-timeout ${formatDuration(Math.floor(deadline / 2))}`],
        ),
      );
    }
    return found;
  },
});
