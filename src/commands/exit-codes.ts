/** How the program ends, in the numbers of sysexits.h where it has one. */

/** What was looked for is not as it should be. */
export const EX_FAILED = 1;
export const EX_USAGE = 64;
export const EX_SOFTWARE = 70;
export const EX_CONFIG = 78;

/** For the manual. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'all went well'],
  [
    EX_FAILED,
    'what was looked for is not as it should be: publish --verify found a record missing, doctor something that is set wrongly',
  ],
  [EX_USAGE, 'an option of the command line or a variable of the environment is wrong'],
  [EX_SOFTWARE, 'a fault of the program itself'],
  [
    EX_CONFIG,
    'a file is wrong: the configuration file, the access list, the recipient policies, a zone file or a check; with --check-config, anything that would stop the start; or Node is too old',
  ],
];
