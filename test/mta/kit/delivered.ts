/** Makes messages and replies comparable: takes out what always differs. */
import { pretendsToBeOurs } from '../../../src/session/our-field.ts';

/** The fields of a header, each with its continuation lines. */
export function fieldsOf(header: string): string[] {
  return header.split(/\n(?![ \t])/).filter((field) => field !== '');
}

/** The fields without those of our kind, our own among them. */
export function withoutOurs(fields: readonly string[]): string[] {
  return fields.filter((field) => {
    const [, value] = /^authentication-results\s*:(.*)$/is.exec(field) ?? [];
    return value === undefined || !pretendsToBeOurs('mx.dest.test', value);
  });
}

/** Queue ids and times differ from message to message. */
export function withoutIds(text: string): string {
  return text
    .replaceAll(/<\d{12}\.\w+@mx\.dest\.test>/g, '<ID>')
    .replaceAll(/\b(?:[0-9A-F]{8,12}|[0-9A-Za-z]{14,})\b(?=[\s;>)]|$)/g, (id) => (/\d/.test(id) ? 'ID' : id))
    .replaceAll(/\w{3}, [ \d]\d \w{3} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}(?: \(\w+\))?|GMT)/g, 'TIME');
}

/**
 * Fields byte for byte, except for the subject by which the message is found, and for times and ids in what
 * the MTA itself writes.
 */
export function comparable(fields: readonly string[], subject: string): string[] {
  return fields.map((field) =>
    /^(?:received|date|message-id):/i.test(field) ? withoutIds(field) : field.replace(subject, 'SUBJECT'),
  );
}
