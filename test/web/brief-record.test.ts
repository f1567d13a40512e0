/** The page reads decisions without the answers of DNS, and nothing else is lost. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutAnswers } from '../../web/brief-record.ts';

/** Texts that a reader of braces and quotes could stumble on. */
const text = fc.oneof(fc.string(), fc.constantFrom(',"dns":{', '}}', '"{', '\\', '\\"', '{"dns":{"a":{'));
const answers = fc.dictionary(text, fc.dictionary(text, fc.record({ records: fc.array(text) })));

it('leaves out the answers, wherever they stand, whatever is in them', () => {
  fc.assert(
    fc.property(text, answers, fc.option(text), (helo, dns, omitted) => {
      const made = (seen: object): string =>
        JSON.stringify({
          helo,
          judged: { note: helo, dns: seen, ...(omitted === null ? {} : { omitted }) },
          end: helo,
        });
      expect(withoutAnswers(made(dns))).toBe(made({}));
    }),
  );
});

it.each([
  ['a question without an answer', '{"judged":{"x":1,"dns":{"a.test":{"A":{"temperror":"share"}}}}}'],
  ['a list of answers, as in old records', '{"judged":{"x":1,"dns":[{"name":"a.test"}]}}'],
  ['no answers', '{"judged":null}'],
  ['an object that does not end', '{"judged":{"x":1,"dns":{"a'],
])('leaves a line as it is that has %s', (_, line) => {
  expect(withoutAnswers(line)).toBe(line);
});
