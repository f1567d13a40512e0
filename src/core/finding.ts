/**
 * What a finding is, and everything that the rest of the product needs to know about one: policy, access
 * list, header, explanation and documentation read it from here, and none of them knows a finding by its id.
 */

/**
 * What a finding rests on: the text itself (`form`); DNS says there is no such host (`existence`); the owner
 * of the name says something about the client (`declared`); we found no correspondence (`inferred`, the only
 * basis on which alone RFC 5321 §4.1.4 forbids a refusal); the operator's rule (`local`); DNS could not say
 * (`dns`).
 */
export type Basis = 'form' | 'existence' | 'declared' | 'inferred' | 'local' | 'dns';

/** The readings of RFC 5321 that the product ships as policies; see `policy.ts`. */
export const PRESETS = ['rfc5321', 'emailcore', 'strict'] as const;
/** A preset: one reading of the standards. */
export type PresetName = (typeof PRESETS)[number];

/** One number for every preset, or one for each; zero or more. */
export type Weight = number | Readonly<Record<PresetName, number>>;

/**
 * Whose plain "no" a finding is: the owner of the name denies it to the client (`name`), or the operator
 * denies the client (`client`). `none` is a declaration that denies nothing, such as a softfail.
 */
export const DENIALS = ['name', 'client', 'none'] as const;
/** Whose plain "no" a finding is: that of the name's owner, the operator's about the client, or nobody's. */
export type Denial = (typeof DENIALS)[number];

/**
 * What can be shown of a client, and what a finding may weigh less for: an address of the name is the
 * client's (`exact`); the owner of the name permits the client (`authorized`); the client has a verified
 * reverse name in the organisation of the name (`aligned`), or in any (`reverse`). For the last two, a
 * reverse name with the client's address written into it shows nothing, as access providers give one to every
 * line.
 */
export const PROOFS = ['exact', 'authorized', 'aligned', 'reverse'] as const;
/** Something that can be shown of a client, and for which a finding may weigh less. */
export type Proof = (typeof PROOFS)[number];

/** The most that a finding weighs once something is shown. */
export type ExcusedByProof = Readonly<Partial<Record<Proof, Weight>>>;

/** Where client and name are proved to belong together, what was inferred against them no longer matters. */
export const PROOF_LEAVES_NOTHING: ExcusedByProof = { exact: 0, authorized: 0 };

/**
 * A name without a public address identifies its host all the same where its owner permits the client (large
 * services announce such names). A reverse name of the same organisation makes the owner known, and leaves a
 * fault in DNS that the owner should hear of.
 */
export const CORRESPONDENCE_OUTWEIGHS_EXISTENCE: ExcusedByProof = {
  authorized: 0,
  aligned: { rfc5321: 2, emailcore: 0, strict: 10 },
};

/**
 * For a name that is not in public DNS, from a host with a proper reverse name: somebody runs that host and
 * can be asked, so the mail is delayed and the sender told why, as Postfix does with 450.
 */
export const REVERSE_NAME_MAKES_IT_TEMPORARY: ExcusedByProof = {
  reverse: { rfc5321: 5, emailcore: 10, strict: 10 },
};

/**
 * What a sender does so that a finding is gone: `announce` something else; have the name lead to the client
 * (`give-address`), or the client's reverse name to the name and back (`give-reverse-name`); permit the
 * client where the name's owner has declared whom it permits; declare that a host under this name does not
 * identify itself (`opt-out`), which is for one that has no name of its own.
 */
export type Cure =
  | 'announce'
  | 'give-address'
  | 'give-reverse-name'
  | 'permit-by-spf'
  | 'permit-by-csa'
  | 'permit-by-auth-record'
  | 'opt-out';

/** What helps a refused sender: cures, and what else there is to do or to know. */
export type Remedy =
  Cure | 'send-by-relay' | 'try-again' | 'repair-dns' | 'remove-fields' | 'ask-the-receiver';

interface AnySpec {
  /** What is wrong, for the administrator: a sentence without a subject's name in it. */
  readonly summary: string;
  /** What a person is told in place of the check's result word, if that word alone would mislead. */
  readonly said?: string;
  /** The rule that it rests on. */
  readonly reference: string;
  /** Suggested weight. Zero means "log only". */
  readonly weight: Weight;
  /** Why that weight. */
  readonly reason: string;
  /** Why receivers care, for the refused sender: whole sentences. Every finding of ours has it. */
  readonly why?: string;
  /** What helps besides `cure`, for the page for senders, the most likely first. */
  readonly remedies?: readonly Remedy[];
  /**
   * What the refused sender is told. `{helo}`, `{client}` and the finding's evidence names are replaced.
   * Says what was seen, then what to do, unless `fix` says that.
   */
  readonly reply: string;
  /** Other words in place of `reply`, by the evidence that they need: the first that was seen decides. */
  readonly replyWith?: Readonly<Record<string, string>>;
  /**
   * What to do, in general: told where the records to publish are not known, as for a client without an
   * address. Else they are told themselves.
   */
  readonly fix?: string;
  /** As `replyWith`. */
  readonly fixWith?: Readonly<Record<string, string>>;
  /** What the sender can do about it; absent where that is nothing, or none of our business. */
  readonly cure?: Cure;
  /** As `replyWith`. */
  readonly cureWith?: Readonly<Record<string, Cure>>;
  /** SMTP reply code when rejected; 550 if absent (RFC 5321 §7.9). */
  readonly rejectCode?: number;
  /** SMTP reply code when tempfailed; 450 if absent. */
  readonly tempfailCode?: number;
  /** Enhanced status code without its class digit (RFC 3463), `7.1` if absent. */
  readonly status?: string;
  /**
   * The client failed a method of showing who it is. If it failed several, the refusal says so in place of
   * `status` (RFC 7372 §3.4).
   */
  readonly mechanism?: true;
  /**
   * Of basis `inferred`: it is about the client alone, whatever its HELO says. RFC 5321 §4.1.4, which forbids
   * a refusal because name and address do not match, does not speak of it.
   */
  readonly aboutClientAlone?: true;
  /** Of the findings with the same group here, one client can have only one. In kebab-case. */
  readonly exclusive?: string;
  /**
   * It weighs nothing for a client that opts out of naming itself, since it says something about its address
   * or habits. Findings with basis `inferred`, `existence` or `dns` never weigh anything there.
   */
  readonly excusedByOptOut?: true;
  /** What it weighs at most once something is shown; a weight that the operator set counts all the same. */
  readonly excusedByProof?: ExcusedByProof;
}

/** A declaration has to say whether it is a plain "no": the stream of the mail depends on it. */
export type FindingSpec = AnySpec &
  (
    | { readonly basis: 'declared'; readonly denies: Denial }
    | { readonly basis: Exclude<Basis, 'declared'>; readonly denies?: Denial }
  );

/** What was seen, as named strings. They hold a stranger's bytes: escape before printing. */
export type Evidence = Readonly<Record<string, string>>;

/** What is meant for a finding with this evidence, as in `FindingSpec.replyWith`. */
export function byEvidence<T>(choices: Readonly<Record<string, T>> = {}, evidence: Evidence): T | undefined {
  return Object.entries(choices).find(([seen]) => evidence[seen] !== undefined)?.[1];
}

/** Nothing was seen. */
export const NOTHING: Evidence = Object.freeze({});

/** Something that is wrong, with what was seen. */
export interface Finding<Id extends string = string> {
  readonly id: Id;
  readonly evidence: Evidence;
  /** It rests on something that DNS could not say: it may delay mail, never refuse it. */
  readonly provisional?: true;
  /**
   * If DNS could not say: the findings that the answers might have led to. It weighs no more than the
   * heaviest of them, so that not knowing of a missing record is no worse than knowing.
   */
  readonly atWorst?: readonly string[];
  /**
   * If DNS could not say which of them it is: the findings that may be meant in place of this one. What is
   * certain weighs no more than the lightest of them.
   */
  readonly mightBe?: readonly string[];
  /** If DNS could not say: the finding no longer matters once one of these is shown. */
  readonly mootBy?: readonly Proof[];
}
