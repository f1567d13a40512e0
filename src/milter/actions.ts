import { SMFIF } from './constants.ts';

/**
 * The changes to a message that a filter may announce; others are refused. The methods of `Message` say what
 * each is for; docs/milter.md has both side by side.
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
/** A kind of change to messages (SMFIF_*), to be announced before it is made. */
export type ActionName = keyof typeof ACTIONS;
