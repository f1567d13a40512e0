/** A zone as text to which advice can be applied, as the sender would apply it. */
import type { ZoneEdit } from '../../src/advice/edit.ts';
import { formatRecord, quotedText } from '../../src/advice/records.ts';

interface Line {
  readonly owner: string;
  readonly type: string;
  readonly rdata: string;
}

/** One record a line; owners may be left out, and a TTL may stand before the type. */
function linesOf(zone: string): Line[] {
  let owner = '';
  return zone.split('\n').flatMap((text) => {
    const line = text.replace(/^;.*| {2,};.*$/, '');
    const [, name = '', type = '', rdata = ''] =
      /^(\S*)\s+(?:\d+\s+)?(?:IN\s+)?([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (type === '' || name.startsWith('$')) return [];
    if (name !== '') owner = name.toLowerCase().replace(/\.$/, '');
    return [{ owner, type, rdata: rdata.trim() }];
  });
}

/** The text of a TXT record. */
function textOf(rdata: string): string {
  return [...rdata.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map(([, each = '']) => each.replaceAll(/\\(.)/g, '$1'))
    .join('');
}

const begins = (text: string, known: string): boolean =>
  known.endsWith('...') ? text.startsWith(known.slice(0, -3)) : text === known;

export function edited(zone: string, { put, change, remove }: ZoneEdit): string {
  let lines = linesOf(zone);
  for (const { owner, type, rdata } of remove) {
    lines = lines.filter(
      (line) =>
        line.owner !== owner ||
        line.type !== type ||
        (type === 'TXT' && !begins(textOf(line.rdata), rdata)) ||
        (type === 'SRV' && line.rdata.toLowerCase() !== rdata.toLowerCase()),
    );
  }
  for (const { owner, from, to, insert } of change) {
    const i = lines.findIndex(
      (line) => line.owner === owner && line.type === 'TXT' && begins(textOf(line.rdata), from),
    );
    const now = i === -1 ? from : textOf(lines[i]?.rdata ?? '');
    const at =
      insert === null ? 0 : now.toLowerCase().indexOf(insert.after.toLowerCase()) + insert.after.length;
    const sep = insert?.after === 'v=spf1' ? ' ' : '';
    const inserted = insert === null ? (to ?? '') : `${now.slice(0, at)}${sep}${insert.text}${now.slice(at)}`;
    if (to !== null && to !== inserted) throw new Error(`${to} is not ${inserted}`);
    const line = { owner, type: 'TXT', rdata: quotedText(inserted) };
    // A wildcard's record is not there by itself.
    if (i === -1) lines.push(line);
    else lines[i] = line;
  }
  return [
    ...lines.map(({ owner, type, rdata }) => `${owner}. ${type} ${rdata}`),
    ...put.map(formatRecord),
  ].join('\n');
}
