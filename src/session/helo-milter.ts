/** The milter: makes the session of each SMTP connection. */
import type { MilterSession } from '../milter/index.ts';
import { mtaSelfReader } from '../policy/our-names.ts';
import { HeloSession, type SessionOptions } from './session.ts';
import { TaggingSession } from './tagging-session.ts';
import { Tagging, type TaggingOptions, type Untagged } from './tagging.ts';

export interface HeloMilterOptions extends SessionOptions {
  /** How accepted mail is tagged, as of now; null for no tag, which spares the MTA all events after RCPT. */
  readonly authResults: () => TaggingOptions | null;
  /** Called once with the reason why an MTA's messages are left without our tag. Must not throw. */
  readonly untagged: (why: Untagged) => void;
}

/**
 * Makes the sessions of connections negotiated under the present rules and options: what is agreed with the
 * MTA cannot change while a connection lasts.
 */
export function heloMilter(options: HeloMilterOptions): () => MilterSession {
  const { applyAt } = options.rules();
  const self = mtaSelfReader();
  const tags = options.authResults();
  if (tags === null) return () => new HeloSession(options, applyAt, self);
  const tagging = new Tagging(tags, options.untagged);
  return () => new TaggingSession(options, applyAt, self, tagging);
}
