/** `helo-milter doctor` as a command line. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { doctor, type DoctorSettings } from '../doctor/doctor.ts';
import { asJson } from './as-json.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import { makePaint } from './paint.ts';
import { makeProgress } from './progress.ts';
import { storeAilment } from '../service/open-store.ts';
import { diagnosesText, doctorReport } from './doctor-text.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly postfix?: string;
  readonly postfixConfig?: string;
  readonly sendmail?: string;
  readonly dns: boolean;
  readonly probe: boolean;
  readonly bogusName: string;
  readonly json?: boolean;
}

/** `addOptions` gives the command the options of the service, and returns a reader of the given ones. */
export function addDoctor(
  root: Command,
  terminal: Terminal,
  addOptions: AddOptions,
  failed: () => void,
): void {
  const command = root
    .createCommand('doctor')
    .description(
      'say what is set wrongly in the MTA, the resolver and the options; give it the options that the milter runs with besides its configuration file.\n' +
        'Exits with 1 if something is wrong. docs/doctor.md explains every finding.',
    )
    .option('--postfix <FILE>', 'output of "postconf -n; postconf -M"; - is standard input')
    .option('--postfix-config <DIR>', "directory of main.cf, for this host's postconf")
    .option('--sendmail <FILE>', 'a sendmail.cf')
    .option('--no-dns', 'ask no name server')
    .option('--no-probe', 'do not connect to the milter')
    .option(
      '--bogus-name <NAME>',
      'a name with a bad signature, to see whether DNSSEC is validated',
      'dnssec-failed.org',
    )
    .option('--json', 'print one JSON object')
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root)
    .allowExcessArguments(false);
  const read = addOptions(command);
  command.action(async (flags: Flags) => {
    const { source } = read(flags);
    const config = await source.read();
    const progress = makeProgress(terminal);
    const settings: DoctorSettings = {
      optionsFile: source.file,
      postfix: flags.postfix ?? null,
      postfixConfig: flags.postfixConfig ?? null,
      sendmail: flags.sendmail ?? null,
      dns: flags.dns,
      probe: flags.probe,
      bogusName: flags.bogusName,
      input: terminal.input ?? null,
      random: () => randomBytes(12).toString('hex'),
      progress: (text) => {
        progress.show(text);
      },
      storeAilment: () => storeAilment(config),
    };
    const found = await doctor(config, settings).finally(() => {
      progress.done();
    });
    terminal.write(
      flags.json === true
        ? asJson(doctorReport(found))
        : diagnosesText(found, makePaint(terminal.screen?.colour === true)),
    );
    if (found.some(({ severity }) => severity === 'wrong')) failed();
  });
  root.addCommand(command);
}
