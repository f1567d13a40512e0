/** Our socket: whether the MTA may connect to it, and whether anything answers. */
import { socketsOf } from '../../config/addresses.ts';
import { attached } from '../attachment.ts';
import { defineDoctorCheck, diagnosis, type Diagnosis } from '../diagnosis.ts';
import type { SocketFile } from '../socket-file.ts';

type FileId =
  | 'socket-not-a-socket'
  | 'socket-directory-closed'
  | 'socket-not-writable'
  | 'sendmail-socket-directory-writable';

export const socketCheck = defineDoctorCheck({
  topic: 'The socket',
  diagnoses: {
    'milter-answers': {
      severity: 'ok',
      meaning: 'The milter answers at its socket, asked as an MTA would.',
      cure: null,
    },
    'milter-unreachable': {
      severity: 'wrong',
      meaning: 'Nothing answers at a socket of --listen.',
      cure: 'Start the milter as you always do, with the same configuration (systemctl start helo-milter); if it runs, give doctor the same --listen.',
    },
    'milter-stranger': {
      severity: 'wrong',
      meaning: 'Something that is not a milter answers at a socket of --listen.',
      cure: 'Choose another port, or stop whatever is there.',
    },
    'socket-handed-over': {
      severity: 'note',
      meaning:
        'The socket is handed over by another program, or its port is chosen at the start, so doctor cannot see where it is.',
      cure: null,
    },
    'socket-not-a-socket': {
      severity: 'wrong',
      meaning: 'There is a file where the unix socket should be.',
      cure: 'Remove it and start the milter.',
    },
    'socket-directory-closed': {
      severity: 'wrong',
      meaning: 'The user that the MTA runs as may not enter a directory on the way to the unix socket.',
      cure: 'Let the group of that user search (x) the directory.',
    },
    'socket-not-writable': {
      severity: 'wrong',
      meaning: 'The user that the MTA runs as may not write to the unix socket, which it must to connect.',
      cure: 'Give the socket the group of that user and --socket-mode 0660, or use --socket-mode 0666.',
    },
    'sendmail-socket-directory-writable': {
      severity: 'wrong',
      meaning:
        'A directory on the way to the unix socket is writable for its group or for everybody; Sendmail calls that unsafe and does not connect.',
      cure: 'Take write permission from group and others.',
    },
    'sendmail-over-tcp': {
      severity: 'note',
      meaning: 'Over TCP Sendmail sends macros and command in two small packets; the second waits 40 ms.',
      cure: "Use a unix socket, or set the sysctl net.ipv4.tcp_pingpong_thresh of the milter's host to 255 (Linux 6.7 or later).",
    },
  },
  run({ mta, options, socketFiles, probes }) {
    const found: Diagnosis<
      | FileId
      | 'milter-answers'
      | 'milter-unreachable'
      | 'milter-stranger'
      | 'socket-handed-over'
      | 'sendmail-over-tcp'
    >[] = probes.map(({ socket, outcome }) => {
      switch (outcome.kind) {
        case 'answers':
          return diagnosis(
            'milter-answers',
            `${socket} answers with protocol ${outcome.version} in ${Math.ceil(outcome.ms)} ms`,
          );
        case 'stranger':
          return diagnosis(
            'milter-stranger',
            `whatever answers at ${socket} does not speak the milter protocol`,
          );
        case 'unreachable':
          return diagnosis('milter-unreachable', `nothing answers at ${socket}: ${outcome.detail}`);
      }
    });
    const unseen = socketsOf(options).some(
      (listen) => listen.kind === 'fd' || (listen.kind === 'inet' && listen.port === 0),
    );
    if (unseen)
      found.push(
        diagnosis('socket-handed-over', `${options.listen.join(', ')} cannot be compared with the MTA`),
      );
    if (mta === null) return found;
    for (const file of socketFiles) found.push(...fileDiagnoses(file, mta.user));
    if (mta.kind === 'sendmail') {
      const safe = mta.unblamed.some((flag) => flag === 'groupwritabledirpathsafe');
      for (const { path, writableDirectory } of safe ? [] : socketFiles) {
        if (writableDirectory === null) continue;
        found.push(
          diagnosis(
            'sendmail-socket-directory-writable',
            `${writableDirectory}, on the way to ${path}, is writable for others`,
            ['shell', `chmod go-w ${writableDirectory}`],
          ),
        );
      }
      const tcp = attached(mta, options).find(({ ours }) => ours.dialled.kind === 'inet');
      if (tcp !== undefined) {
        found.push(
          diagnosis('sendmail-over-tcp', `${tcp.service.title} connects to us at ${tcp.ours.socket}`),
        );
      }
    }
    return found;
  },
});

function fileDiagnoses({ state, path, at, mode }: SocketFile, user: string): Diagnosis<FileId>[] {
  const octal = mode.toString(8).padStart(4, '0');
  switch (state) {
    case 'not-a-socket':
      return [diagnosis('socket-not-a-socket', `${path} is not a socket`, ['shell', `rm ${path}`])];
    case 'closed':
      return [
        diagnosis('socket-directory-closed', `the user ${user} may not enter ${at} (mode ${octal})`, [
          'shell',
          `chgrp ${user} ${at} && chmod g+x ${at}`,
        ]),
      ];
    case 'unwritable':
      return [
        diagnosis(
          'socket-not-writable',
          `the user ${user} may not write to ${path} (mode ${octal})`,
          ['shell', `chgrp ${user} ${path} && chmod g+w ${path}`],
          ['helo-milter', '--socket-mode 0666'],
        ),
      ];
    case 'ready':
    case 'absent':
    case 'unseen':
      return [];
  }
}
