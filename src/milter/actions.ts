import { SMFIF } from './constants.ts';

/**
 * Changes to a message that a filter may announce; unannounced ones are refused. What each is for is said with the methods of
 * `Message`; docs/milter.md has both side by side.
 */
export const ACTIONS = {
  addHeaders: SMFIF.ADDHDRS,
  changeHeaders: SMFIF.CHGHDRS,
  changeBody: SMFIF.CHGBODY,
  addRecipients: SMFIF.ADDRCPT,
  addRecipientsWithArgs: SMFIF.ADDRCPT_PAR,
  deleteRecipients: SMFIF.DELRCPT,
  changeSender: SMFIF.CHGFROM,
  quarantine: SMFIF.QUARANTINE,
} as const;
export type ActionName = keyof typeof ACTIONS;
