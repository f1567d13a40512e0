import { describe, expect, it } from 'vitest';
import { CHUNK_SIZE, SMFIF } from '../../src/milter/constants.ts';
import { Message, NotGrantedError } from '../../src/milter/message.ts';
import { replies } from '../support/mta.ts';

const ALL = 0x1ff;

function changes(change: (message: Message) => void, granted: number = ALL): string[] {
  const message = new Message(granted, () => undefined);
  change(message);
  return replies(Buffer.concat(message.finish()));
}

type Change = (message: Message) => void;

describe('Message', () => {
  it.each<[string, Change, string[]]>([
    [
      'adds a field',
      (m) => {
        m.addHeader('X-A', 'b');
      },
      ['hX-A|b|'],
    ],
    [
      'inserts a field',
      (m) => {
        m.insertHeader(0, 'X-A', 'b\r\n c');
      },
      ['i||||X-A|b\n c|'],
    ],
    [
      'changes a field',
      (m) => {
        m.changeHeader(2, 'X-A', 'b');
      },
      ['m|||\x02X-A|b|'],
    ],
    [
      'deletes a field',
      (m) => {
        m.changeHeader(1, 'X-A', null);
      },
      ['m|||\x01X-A||'],
    ],
    [
      'adds a recipient',
      (m) => {
        m.addRecipient('a@b');
      },
      ['+<a@b>|'],
    ],
    [
      'adds a recipient with parameters',
      (m) => {
        m.addRecipient('<a@b>', 'NOTIFY=NEVER');
      },
      ['2<a@b>|NOTIFY=NEVER|'],
    ],
    [
      'deletes a recipient',
      (m) => {
        m.deleteRecipient('a@b');
      },
      ['-<a@b>|'],
    ],
    [
      'changes the sender',
      (m) => {
        m.changeSender('');
      },
      ['e<>|'],
    ],
    [
      'changes the sender with parameters',
      (m) => {
        m.changeSender('a@b', 'RET=HDRS');
      },
      ['e<a@b>|RET=HDRS|'],
    ],
    [
      'holds the message',
      (m) => {
        m.quarantine('why');
      },
      ['qwhy|'],
    ],
    [
      'empties the body',
      (m) => {
        m.replaceBody(Buffer.alloc(0));
      },
      ['b'],
    ],
    [
      'sends the body in one run, after all else',
      (m) => {
        m.replaceBody(Buffer.from('x'));
        m.addHeader('A', 'b');
        m.replaceBody(Buffer.from('y'));
      },
      ['hA|b|', 'bx', 'by'],
    ],
  ])('%s', (_, change, wanted) => {
    expect(changes(change)).toEqual(wanted);
  });

  it('cuts a long body into chunks that both MTAs take', () => {
    const sizes = changes((m) => {
      m.replaceBody(Buffer.alloc(2 * CHUNK_SIZE + 1, 'x'));
    }).map(({ length }) => length - 1);
    expect(sizes).toEqual([CHUNK_SIZE, CHUNK_SIZE, 1]);
  });

  it.each<[string, Change]>([
    [
      'a colon in the name of a field',
      (m) => {
        m.addHeader('A:', 'b');
      },
    ],
    [
      'an empty name',
      (m) => {
        m.addHeader('', 'b');
      },
    ],
    [
      'a line break that would start another field',
      (m) => {
        m.addHeader('A', 'b\nX-Evil: yes');
      },
    ],
    [
      'a bare CR',
      (m) => {
        m.addHeader('A', 'b\rc');
      },
    ],
    [
      'a NUL',
      (m) => {
        m.addHeader('A', 'b\0c');
      },
    ],
    [
      'a line break in an address',
      (m) => {
        m.addRecipient('a@b>\r\n<c');
      },
    ],
    [
      'a negative index',
      (m) => {
        m.insertHeader(-1, 'A', 'b');
      },
    ],
    [
      'a fractional index',
      (m) => {
        m.changeHeader(0.5, 'A', 'b');
      },
    ],
  ])('refuses %s', (_, change) => {
    expect(() => changes(change)).toThrow(RangeError);
  });

  it.each<[string, number, Change]>([
    [
      'addHeader',
      SMFIF.ADDHDRS,
      (m) => {
        m.addHeader('A', 'b');
      },
    ],
    [
      'changeHeader',
      SMFIF.CHGHDRS,
      (m) => {
        m.changeHeader(1, 'A', 'b');
      },
    ],
    [
      'replaceBody',
      SMFIF.CHGBODY,
      (m) => {
        m.replaceBody(Buffer.from(''));
      },
    ],
    [
      'addRecipient',
      SMFIF.ADDRCPT,
      (m) => {
        m.addRecipient('a');
      },
    ],
    [
      'addRecipient with parameters',
      SMFIF.ADDRCPT_PAR,
      (m) => {
        m.addRecipient('a', 'b');
      },
    ],
    [
      'deleteRecipient',
      SMFIF.DELRCPT,
      (m) => {
        m.deleteRecipient('a');
      },
    ],
    [
      'changeSender',
      SMFIF.CHGFROM,
      (m) => {
        m.changeSender('a');
      },
    ],
    [
      'quarantine',
      SMFIF.QUARANTINE,
      (m) => {
        m.quarantine('a');
      },
    ],
  ])('%s needs its grant and no other', (_, bit, change) => {
    expect(() => changes(change, ALL & ~bit)).toThrow(NotGrantedError);
    expect(changes(change, bit)).toHaveLength(1);
  });

  it('tells of progress at once, and nothing once it is finished', () => {
    const written: Buffer[] = [];
    const message = new Message(ALL, (packet) => written.push(packet));
    message.progress();
    expect(replies(Buffer.concat(written))).toEqual(['p']);
    message.finish();
    expect(() => {
      message.progress();
    }).toThrow(NotGrantedError);
    expect(() => {
      message.addHeader('A', 'b');
    }).toThrow(NotGrantedError);
  });
});
