/**
 * A conversation of the milter library without a socket: its other end is in memory, and records how it was
 * treated.
 */
import { Conversation, type ConversationOptions } from '../../src/milter/conversation.ts';
import type { Wishes } from '../../src/milter/negotiation.ts';
import * as mta from './mta.ts';

export interface ConversationSetup extends Partial<Omit<ConversationOptions, 'wishes'>> {
  readonly wishes?: Partial<Wishes>;
  /** Called when a portion is done and there is more; by default it does nothing. */
  readonly onYield?: (conversation: Conversation) => void;
}

/** The state of the other end; a test reads it and may set `reads`. */
export interface FarEnd {
  /** False for a peer that reads no more, so that writes find a full buffer. */
  reads: boolean;
  paused: boolean;
  ended: boolean;
  /** Number of times that others had their turn after a portion. */
  yields: number;
}

export interface Talk {
  readonly conversation: Conversation;
  readonly far: FarEnd;
  readonly writes: readonly Buffer[];
  /** Errors told, as `source: message`. */
  readonly errors: readonly string[];
  /** One string for each reply so far, without that to OPTNEG. */
  readonly replies: () => string[];
}

/** A filter that by default wants nothing special and answers a fault with `tempfail`. */
export function talk({ wishes = {}, onYield, ...options }: ConversationSetup = {}): Talk {
  const errors: string[] = [];
  const writes: Buffer[] = [];
  const far: FarEnd = { reads: true, paused: false, ended: false, yields: 0 };
  const conversation = new Conversation(
    {
      newSession: () => ({}),
      replyOnError: 'tempfail',
      onError: (error, source) =>
        errors.push(`${source}: ${error instanceof Error ? error.message : String(error)}`),
      ...options,
      wishes: {
        keep: [],
        noReply: [],
        actions: [],
        macros: {},
        rejectedRecipients: false,
        leadingSpace: false,
        ...wishes,
      },
    },
    {
      write: (bytes) => {
        writes.push(bytes);
        return far.reads;
      },
      yield: () => {
        far.yields++;
        onYield?.(conversation);
      },
      pause: () => (far.paused = true),
      resume: () => (far.paused = false),
      destroy: () => (far.ended = true),
    },
  );
  return {
    conversation,
    far,
    writes,
    errors,
    replies: () => mta.replies(Buffer.concat(writes)).filter((reply) => !reply.startsWith('O')),
  };
}
