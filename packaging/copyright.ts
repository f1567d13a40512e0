/** debian/copyright in Debian's machine-readable form, of the program and of what is packed with it. */
import type { Dependency } from './program.ts';

/** Licences whose text every Debian system has. */
const COMMON: Readonly<Record<string, string>> = {
  'Apache-2.0': ' On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.',
};

export function copyrightFile(licence: string, program: string, dependencies: readonly Dependency[]): string {
  const stanzas = dependencies.map((each) =>
    stanza(`${program}/${each.path}/*`, each.license, each.licenseText, each.author),
  );
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: helo-milter',
    stanza('*', 'MIT', licence, ''),
    ...stanzas,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** `text` is the licence as it came; where it does not say whose work it is, the author of the package is named. */
function stanza(files: string, license: string, text: string, author: string): string {
  const common = COMMON[license];
  const named = text.split('\n').filter((line) => /^\s*copyright (?:\(c\)|©|\d{4})/i.test(line));
  const holders =
    common === undefined
      ? named.map((line) => line.trim().replace(/^copyright (?:\(c\) |© )?(?:by )?/i, ''))
      : [];
  const body = text
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`));
  return [
    `Files: ${files}`,
    `Copyright: ${(holders.length > 0 ? holders : [author]).join('\n           ')}`,
    `License: ${license}`,
    ...(common === undefined ? body : [common]),
  ].join('\n');
}
