/** `helo-milter findings`: what can be found, as a list or as a page for refused senders. */
import type { Command } from 'commander';
import { refusalPage } from '../help/refusal-page.ts';
import { registryOf } from '../service/registry.ts';
import { listFindings } from './list-findings.ts';
import { located } from './located.ts';
import type { AddOptions, ConfigFlags } from './options-of-commands.ts';
import type { Terminal } from './terminal.ts';

interface Flags extends ConfigFlags {
  readonly html?: boolean;
}

/** `addOptions` gives the command its options, and returns a reader of the given ones. */
export function addFindings(root: Command, terminal: Terminal, addOptions: AddOptions): void {
  const command = root
    .createCommand('findings')
    .description('list what can be found, your own checks included; or write a page for refused senders')
    .option(
      '--html',
      'print a page for refused senders in HTML, to be put on a web server: --help-url leads there',
    )
    .helpOption('--help', 'print this help')
    .copyInheritedSettings(root)
    .allowExcessArguments(false);
  const read = addOptions(command);
  command.action(async (flags: Flags) => {
    const { source } = read(flags);
    const config = await source.read();
    const { findings } = await located(source, registryOf(config));
    const { contact } = config;
    terminal.write(flags.html === true ? refusalPage({ findings, contact }) : listFindings(findings));
  });
  root.addCommand(command);
}
