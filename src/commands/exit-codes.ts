/** Exit codes of the program, those of sysexits.h where there is one. */

/** Something that was checked is not as it should be. */
export const EX_FAILED = 1;
export const EX_USAGE = 64;
export const EX_SOFTWARE = 70;
export const EX_CONFIG = 78;

/** For the manual. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'success'],
  [
    EX_FAILED,
    'something that was checked is not as it should be: publish --verify found a record missing, doctor found something set wrongly, or a policy test failed',
  ],
  [EX_USAGE, 'a command line option or an environment variable is wrong'],
  [EX_SOFTWARE, 'a fault of the program itself'],
  [
    EX_CONFIG,
    'a file is wrong: the configuration file, the access list, the recipient policies, a zone file, a check or a file of policy tests; with --check-config, anything that would prevent a start; or Node is too old',
  ],
];
