/** Whether the milter is attached, and where. */
import { socketsOf } from '../../config/addresses.ts';
import {
  attached,
  attachLine,
  attachLines,
  attachments,
  changedLine,
  listedLine,
  namesake,
  oursAmong,
  reached,
  surplus,
} from '../attachment.ts';
import { socketForPostfix } from '../endpoint.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import type { RunningOptions } from '../facts.ts';
import type { Filter, Mta, SmtpService } from '../mta.ts';

export const attachmentCheck = defineDoctorCheck({
  topic: 'Attached to the MTA',
  diagnoses: {
    'mta-unknown': {
      severity: 'warning',
      meaning: 'Neither postconf nor a sendmail.cf was found on this machine, and none was given.',
      cure: 'Give --postfix FILE with the output of "postconf -n; postconf -M", or --sendmail FILE.',
    },
    'postfix-attached': {
      severity: 'ok',
      meaning: 'A Postfix service hands its sessions to us.',
      cure: null,
    },
    'postfix-not-attached': {
      severity: 'wrong',
      meaning: 'No smtpd service has us in its list of milters: nothing is checked.',
      cure: 'Put our socket into smtpd_milters, then "postfix reload".',
    },
    'postfix-socket-mismatch': {
      severity: 'wrong',
      meaning: 'smtpd_milters has a socket that looks like ours, but leads to none of our --listen sockets.',
      cure: 'Make the two agree in the kind of socket, its path or host, and its port. If another helo-milter listens there, name its socket with --listen too.',
    },
    'postfix-socket-outside-chroot': {
      severity: 'wrong',
      meaning:
        'smtpd runs chrooted in the queue directory (fifth column of master.cf), so it looks for the socket below that directory.',
      cure: 'Make us listen below the queue directory, and give Postfix the path relative to it.',
    },
    'postfix-service-not-attached': {
      severity: 'warning',
      meaning: 'A service that takes mail from outside has its own list of milters, without us.',
      cure: 'Add our socket to the -o smtpd_milters of the service, or remove that override. If it has another helo-milter, name the socket of that with --listen too.',
    },
    'postfix-attached-twice': {
      severity: 'wrong',
      meaning:
        'One list of milters has us more than once: each session is judged as often, and counts as often for the tempfail limit and in the metrics.',
      cure: 'Take all but one out of the list; $helo_milter is the one to keep.',
    },
    'sendmail-attached': {
      severity: 'ok',
      meaning: 'A Sendmail daemon hands its sessions to us.',
      cure: null,
    },
    'sendmail-attached-twice': {
      severity: 'wrong',
      meaning:
        'Several filters of one list lead to us: each session is judged as often, and counts as often for the tempfail limit and in the metrics.',
      cure: 'Remove all but one of the INPUT_MAIL_FILTER lines, rebuild sendmail.cf and restart Sendmail.',
    },
    'sendmail-not-attached': {
      severity: 'wrong',
      meaning: 'sendmail.cf has no filter (X line) with one of our sockets: nothing is checked.',
      cure: 'Put an INPUT_MAIL_FILTER line into sendmail.mc, rebuild sendmail.cf and restart Sendmail.',
    },
    'sendmail-socket-mismatch': {
      severity: 'wrong',
      meaning: 'A Sendmail filter looks like us, but leads to none of our --listen sockets.',
      cure: 'Make S= of the filter and --listen agree. If another helo-milter listens there, name its socket with --listen too.',
    },
    'sendmail-filter-unused': {
      severity: 'wrong',
      meaning:
        'The filter is defined (MAIL_FILTER), but no list of input filters names it: nothing is checked.',
      cure: 'Use INPUT_MAIL_FILTER, or name it in confINPUT_MAIL_FILTERS.',
    },
    'sendmail-service-not-attached': {
      severity: 'warning',
      meaning: 'A daemon that takes mail from outside has its own list of filters, without us.',
      cure: 'Add the filter to InputMailFilters of its DAEMON_OPTIONS. If it has another helo-milter, name the socket of that with --listen too.',
    },
  },
  run({ mta, mtaFault, options }) {
    if (mta === null) {
      return [
        diagnosis(
          'mta-unknown',
          `${mtaFault ?? 'no postconf and no /etc/mail/sendmail.cf here'}, so the MTA was not looked at`,
          ['shell', '(postconf -n; postconf -M) | helo-milter doctor --postfix -'],
        ),
      ];
    }
    const there = attached(mta, options);
    return reached(mta, there) ? present(mta, options, there) : absent(mta, options);
  },
});

type Kind = Mta['kind'];

function present(
  mta: Mta,
  options: RunningOptions,
  there: readonly { readonly service: SmtpService; readonly ours: Filter }[],
): Diagnosis<`${Kind}-${'attached' | 'attached-twice' | 'service-not-attached'}`>[] {
  const { kind } = mta;
  const where = there.map(({ service, ours }) => `${service.title} by ${ours.socket}`).join('; ');
  const missing = mta.services.filter(
    (service) => service.role === 'inbound' && !there.some((each) => each.service === service),
  );
  return [
    diagnosis(`${kind}-attached` as const, `attached: ${where}`),
    ...there.flatMap(({ service }) => {
      const more = surplus(service, options);
      if (more.length === 0) return [];
      const rest = service.filters.filter((filter) => !more.includes(filter));
      return [
        diagnosis(
          `${kind}-attached-twice` as const,
          `${service.title} has us ${more.length + 1} times: the ones too many are ${more.map(({ text }) => text).join(', ')}`,
          listedLine(mta, service, rest),
        ),
      ];
    }),
    ...missing
      .filter(({ switchedOff }) => switchedOff === null)
      .map((service) => {
        const id = `${kind}-service-not-attached` as const;
        const other = namesake(service, options);
        if (other === null) {
          const text = `${service.title} takes mail from outside but does not hand it to us`;
          return diagnosis(id, text, ...attachLines(mta, service, options));
        }
        // A line that adds us would have its mail judged twice.
        const text = `${service.title} hands its mail to ${other.socket}; ${IF_ANOTHER}`;
        return diagnosis(id, text, askBoth(other, options));
      }),
  ];
}

const IF_ANOTHER = 'if another helo-milter listens there, name its socket with --listen too';

/** The command that looks at another helo-milter beside us. */
function askBoth({ dialled, socket }: Filter, options: RunningOptions): [file: string, line: string] {
  const theirs =
    dialled.kind === 'unix'
      ? `unix:${dialled.paths[0] ?? dialled.path}`
      : dialled.kind === 'inet'
        ? socketForPostfix(dialled, '', null)
        : socket;
  const sockets = [...options.listen, theirs].map((each) => `--listen ${each}`);
  return ['shell', `helo-milter doctor ${sockets.join(' ')}`];
}

function absent(
  mta: Mta,
  options: RunningOptions,
): Diagnosis<
  `${Kind}-${'not-attached' | 'socket-mismatch'}` | 'sendmail-filter-unused' | 'postfix-socket-outside-chroot'
>[] {
  const service = mta.services.find(({ role }) => role === 'inbound') ?? mta.services[0];
  if (service === undefined) {
    return [diagnosis(`${mta.kind}-not-attached` as const, 'there is no SMTP service that takes mail')];
  }
  // Another check reports that.
  if (attachments(mta, options).some(({ ours }) => ours !== null && service.switchedOff !== null)) return [];
  const cure = attachLine(mta, service, options);
  if (mta.kind === 'sendmail') {
    const unused = oursAmong([...mta.defined.values()], options);
    if (unused !== null) {
      return [diagnosis('sendmail-filter-unused', `no daemon uses the filter ${unused.text}`, cure)];
    }
  }
  const candidates = mta.kind === 'sendmail' ? [...mta.defined.values()] : service.filters;
  const near = namesake(service, options) ?? candidates.find((filter) => resembles(filter, options));
  if (near === undefined) {
    const has =
      candidates.length === 0
        ? 'it has no milter'
        : `it has ${candidates.map(({ socket }) => socket).join(', ')}`;
    return [
      diagnosis(
        `${mta.kind}-not-attached` as const,
        `${service.title} does not know us: ${has}`,
        ...attachLines(mta, service, options),
      ),
    ];
  }
  const listens = options.listen.join(', ');
  if (
    near.dialled.kind === 'unix' &&
    service.chrooted === true &&
    options.listen.some((each) => each.endsWith(`:${near.dialled.kind === 'unix' ? near.dialled.path : ''}`))
  ) {
    const [path = ''] = near.dialled.paths;
    return [
      diagnosis(
        'postfix-socket-outside-chroot',
        `${service.title} is chrooted and looks for ${near.socket} at ${path}; we listen on ${listens}`,
        ['helo-milter', `--listen unix:${queueOf(mta)}/helo-milter/socket`],
        changedLine(service, near, near.text.replace(near.socket, 'unix:helo-milter/socket')),
      ),
    ];
  }
  return [
    diagnosis(
      `${mta.kind}-socket-mismatch` as const,
      `${service.title} connects to ${near.socket}, and we listen on ${listens}; ${IF_ANOTHER}`,
      mta.kind === 'sendmail' ? cure : replaced(service, near, options, mta),
    ),
  ];
}

function queueOf(mta: Mta): string {
  return mta.kind === 'postfix' ? mta.config.value('queue_directory') : '';
}

/** The list as it is, with the right socket in it. */
function replaced(service: SmtpService, near: Filter, options: RunningOptions, mta: Mta): [string, string] {
  const [listen] = socketsOf(options);
  const socket = listen === undefined ? 'SOCKET' : socketForPostfix(listen, queueOf(mta), service.chrooted);
  return changedLine(service, near, near.text.replace(near.socket, socket));
}

/** The only milter there is, or one that has our port, the end of our path, or our name. */
function resembles({ text, socket, dialled }: Filter, options: RunningOptions): boolean {
  if (/helo/i.test(`${text} ${socket}`)) return true;
  return socketsOf(options).some((listen) => {
    if (listen.kind === 'inet') return dialled.kind === 'inet' && dialled.port === listen.port;
    const end = (path: string): string => path.split('/').slice(-2).join('/');
    return listen.kind === 'unix' && dialled.kind === 'unix' && end(dialled.path) === end(listen.path);
  });
}
