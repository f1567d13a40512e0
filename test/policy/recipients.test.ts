import { describe, expect, it } from 'vitest';
import { findings } from '../../src/core/checks/index.ts';
import { makePolicy } from '../../src/policy/policy.ts';
import { parseRecipientRules, RecipientPolicies } from '../../src/policy/recipients.ts';
import { UsageError } from '../../src/errors.ts';

const TABLE = `
# who              policy
Dest.Test          strict
.dest.test         emailcore   # all names below
"Sales"@dest.test  off
sub.dest.test      rfc5321
Bücher.Test        strict
.xn--bcher-kva.test emailcore
Jürgen@dest.test   off
`;

/** As the milter protocol has it. */
const wire = (text: string): string => Buffer.from(text).toString('latin1');

describe('RecipientPolicies', () => {
  const policies = new RecipientPolicies(parseRecipientRules(TABLE, 'table'), (preset) =>
    makePolicy(preset, findings),
  );

  it.each([
    ['user@dest.test', 'strict'],
    ['USER@DEST.TEST.', 'strict'],
    ['sales@dest.test', 'off'],
    ['"SALES"@dest.test', 'off'],
    ['sales+tag@dest.test', 'strict'],
    ['user@sub.dest.test', 'rfc5321'],
    ['user@deep.sub.dest.test', 'emailcore'],
    ['user@a.dest.test', 'emailcore'],
    ['user@xn--bcher-kva.test', 'strict'],
    ['USER@XN--BCHER-KVA.TEST.', 'strict'],
    [wire('user@bücher.test'), 'strict'],
    [wire('user@BÜCHER.TEST.'), 'strict'],
    // As two code points, and with the full stop of another script.
    [wire('user@bu\u0308cher。test'), 'strict'],
    [wire('user@deep.bücher.test'), 'emailcore'],
    [wire('jürgen@dest.test'), 'off'],
    [wire('JU\u0308RGEN@dest.test'), 'off'],
    [wire('user@bücher.test/x'), null],
    [wire('user@bücher.test:25'), null],
    // Octets that are not UTF-8 are read as they are.
    ['user@b\xfccher.test', 'strict'],
    ['user@other.test', null],
    ['user@notdest.test', null],
    ['postmaster', null],
    ['', null],
  ])('%s: %s', (address, wanted) => {
    const rule = policies.of(address);
    expect(rule === null || rule === 'off' ? rule : rule.preset).toBe(wanted);
  });

  it('names the policies in use, and those only', () => {
    expect(policies.policies.map(({ preset }) => preset)).toEqual(['rfc5321', 'emailcore', 'strict']);
    const one = new RecipientPolicies(parseRecipientRules('a.test strict\nb.test off', 'table'), (preset) =>
      makePolicy(preset, findings),
    );
    expect(one.policies.map(({ preset }) => preset)).toEqual(['strict']);
    expect(one.size).toBe(2);
  });
});

describe('parseRecipientRules', () => {
  it.each([
    ['a.test', /^table:1: a line is a recipient and its policy$/],
    ['\na.test strict now', /^table:2: a line is/],
    ['a.test lenient', /^table:1: "lenient" is not one of rfc5321, emailcore, strict, off$/],
    ['a..test strict', /^table:1: "a\.\.test" is neither an address nor a domain$/],
    ['@a.test strict', /neither an address nor a domain$/],
    ['user@ strict', /neither an address nor a domain$/],
    ['. strict', /neither an address nor a domain$/],
    ['bücher.test strict\nxn--bcher-kva.test off', /^table:2: "xn--bcher-kva.test" is there already$/],
    ['bü/cher.test strict', /neither an address nor a domain$/],
    ['a.test strict\nA.TEST. off', /^table:2: "A\.TEST\." is there already$/],
  ])('refuses %j', (text, message) => {
    expect(() => parseRecipientRules(text, 'table')).toThrow(UsageError);
    expect(() => parseRecipientRules(text, 'table')).toThrow(message);
  });

  it.each([
    ['# all of it', []],
    ['a.test strict # why', ['a.test']],
    ['  a.test \t strict  ', ['a.test']],
    ['user#1@a.test strict', ['user#1@a.test']],
  ])('reads %j, in which a comment begins at a blank', (text, wanted) => {
    expect([...parseRecipientRules(text, 'table').keys()]).toEqual(wanted);
  });

  it('takes an empty file', () => {
    expect(parseRecipientRules('', 'table').size).toBe(0);
  });
});
