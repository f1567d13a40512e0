/**
 * Puts what is said in a watched session into words. Data is latin1 as received, with NULs as `|`: it must be
 * cleaned before it is shown.
 */
import type { Command } from './command.ts';

/**
 * Called with each command and each reply that is really sent. `event` is the name of a command or callback,
 * `change` for a change to the message, `close` for the end.
 */
export type Observer = (side: 'mta' | 'milter', event: string, text: string) => void;

/** Of a body only the length is told. */
export function describeCommand(command: Command): string {
  switch (command.type) {
    case 'connect': {
      const { hostname, family, address, port } = command.info;
      return [hostname, family, address, port].filter((each) => each !== null).join(' ');
    }
    case 'helo':
      return command.name;
    case 'mail':
    case 'rcpt':
      return [command.envelope.raw, ...command.envelope.args].join(' ');
    case 'macro':
      return describeMacros(command.stage, command.text);
    case 'header':
      return `${command.name}: ${command.value}`;
    case 'unknown':
      return command.line;
    case 'body':
    case 'endOfMessage':
      return command.chunk.length === 0 ? '' : `${command.chunk.length} octets`;
    default:
      return '';
  }
}

/** `M i=4Y1abc {auth_authen}=bob`: the stage by its letter, then names and values. */
export function describeMacros(stage: number, text: string): string {
  const parts = text.split('\0');
  let described = String.fromCharCode(stage);
  for (let i = 0; i + 1 < parts.length; i += 2) described += ` ${parts[i] ?? ''}=${parts[i + 1] ?? ''}`;
  return described;
}

/** A packet that we send: its letter and its data. */
export function describePacket(packet: Buffer): string {
  return packet.toString('latin1', 4).replaceAll('\0', '|');
}
