/** Ways out in words: short ones for a reply, and lines that can be pasted for a person with a screen. */
import type { ChangedRecord, RemovedRecord } from './edit.ts';
import { formatRecord, quotedText, type PublishedRecord } from './records.ts';
import type { Way } from './sender-advice.ts';

/**
 * A clause without a final stop. Texts of a stranger are in it: names of records to remove, terms of a
 * record to change.
 */
export function clauseOf(way: Way): string {
  switch (way.kind) {
    case 'publish': {
      const put = way.put.filter(({ optional = false }) => !optional).map(briefly);
      return [
        ...way.remove.map(
          ({ owner, type, rdata }) =>
            `remove ${owner} IN ${type} ${type === 'TXT' ? 'with ' : ''}${cut(rdata)}`,
        ),
        ...way.change.map(changeClause),
        ...(put.length === 0 ? [] : [`publish ${put.join(' and ')}`]),
      ].join(' and ');
    }
    case 'announce':
      return `announce ${way.helo}`;
    case 'name':
      return `announce ${hostNameFor(way)}`;
    case 'relay':
      return "use your provider's mail relay";
    case 'other':
      return way.text;
  }
}

/** What kind of name helps. */
export function hostNameFor({ address, orSpf }: Way & { readonly kind: 'name' }): string {
  return `a public host name that leads to ${address}${orSpf ? ', or permits it by SPF' : ''}`;
}

function briefly({ owner, type, rdata }: PublishedRecord): string {
  return `${owner} IN ${type} ${rdata}`;
}

function changeClause({ owner, type, to, insert }: ChangedRecord): string {
  if (insert !== null) return `put ${insert.text} right after ${insert.after} in ${owner} IN ${type}`;
  // What a stranger wrote must not look like words of ours, such as the reference.
  return to !== null && PLAIN.test(to)
    ? `change ${owner} IN ${type} to ${quotedText(to)}`
    : `repair the record ${owner} IN ${type}`;
}

/** Characters that records have and that mean nothing in a reply. */
const PLAIN = /^[\w .:/=~?+*%{}-]*$/;

/** What is to go is known by its beginning. */
function cut(text: string): string {
  const plain = text.replace(/\.$/, '').replaceAll(/[^\w .:/=~?+*%{}-]/g, '?');
  return plain.length > 60 ? `${plain.slice(0, 57)}...` : plain;
}

/** Lines as in a master file, with what to do about each; texts of a stranger are in it. */
export function linesOf(way: Way): string[] {
  switch (way.kind) {
    case 'publish':
      return [
        ...way.remove.map((record) => `${removedText(record)}  ; remove`),
        ...way.change.flatMap(changedLines),
        ...way.put.map(
          (record) => `${formatRecord(record)}${record.optional === true ? '  ; good to have' : ''}`,
        ),
      ];
    case 'announce':
      return [`announces ${way.helo}${way.what === 'reverse-name' ? ', the verified reverse name' : ''}`];
    case 'name':
      return [`announces ${hostNameFor(way)}`];
    case 'relay':
      return ['sends through the mail relay of its provider'];
    case 'other':
      return [way.text];
  }
}

function removedText({ owner, type, rdata }: RemovedRecord): string {
  return `${owner}. IN ${type} ${type === 'TXT' ? quotedText(rdata) : rdata}`;
}

function changedLines({ owner, type, from, to, insert }: ChangedRecord): string[] {
  const before = `${owner}. IN ${type} ${quotedText(from)}  ; change`;
  if (to === null) return [before, `  put ${insert?.text ?? ''} right after ${insert?.after ?? ''}`];
  return [before, `${owner}. IN ${type} ${quotedText(to)}  ; to this`];
}
