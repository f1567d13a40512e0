import { describe, expect, it } from 'vitest';
import { printConfig } from '../../src/commands/print-config.ts';
import { parseConfigFile } from '../../src/config/file.ts';
import { nameOf } from '../../src/config/option.ts';
import { readConfig } from '../../src/config/config.ts';
import { ROWS } from '../../src/config/options.ts';
import { fromEnvironment, fromFlags, merge, textsOf } from '../../src/config/given.ts';
import { optionText } from '../fixtures/option-texts.ts';

describe('--print-config', () => {
  it.each(ROWS)('what it says of %s can be read back', (key) => {
    const given = new Map<string, readonly string[]>([[key, optionText(key).texts]]);
    // It cannot be combined with any other value.
    if (key === 'recipientPolicy') given.set('applyAt', ['rcpt']);
    // It is a page of this.
    if (key === 'httpPage') given.set('http', ['127.0.0.1:0']);
    const printed = printConfig(fromFlags(given), null);
    expect(printed).toMatch(new RegExp(`^${nameOf(key)} = .* # --${nameOf(key)}$`, 'm'));
    expect(readConfig(textsOf(parseConfigFile(printed, '/elsewhere/f.toml')))).toEqual(readConfig(given));
  });

  it('names every option, set or not', () => {
    const printed = printConfig(new Map(), null);
    expect(printed).toMatch(/^# No configuration file was named, so none was read\.\n\n# Service\n/);
    for (const [key] of ROWS)
      expect(printed).toMatch(new RegExp(`^(?:# )?${nameOf(key)} (?:= |is not set)`, 'm'));
    expect(readConfig(textsOf(parseConfigFile(printed, 'f')))).toEqual(readConfig(new Map()));
  });

  it('says where each value came from', () => {
    const settings = merge(
      fromFlags(new Map([['rejectAt', ['12']]])),
      fromEnvironment({ HELO_MILTER_OBSERVE: '0', HELO_MILTER_REJECT_AT: '13' }),
      parseConfigFile('\ncontact = "two\\u0020 words"\nobserve = true\n', '/etc/f.toml'),
    );
    const printed = printConfig(settings, '/etc/f.toml');
    expect(printed).toMatch(/^# With \/etc\/f\.toml\.\n/);
    expect(printed).toContain('\nreject-at = 12 # --reject-at\n');
    expect(printed).toContain('\nobserve = false # HELO_MILTER_OBSERVE\n');
    expect(printed).toContain('\ncontact = "two  words" # /etc/f.toml:2:1\n');
    expect(printed).toContain('\ntempfail-at = 5 # default\n');
  });
});
