/**
 * Integrating what a client of flexible sync uploads. Such a client sees a part of the realm and may be wrong about the
 * rest, so that each changeset is judged object by object: what is refused is left out of the history, and the client is
 * sent the true state instead (compensating write, spec/server-history.md §7).
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader } from '../state/reader.ts';

/** All instructions of one changeset for one object, in order, after the merge with what the client had not seen. */
export type ObjectChange = {
  readonly table: string;
  readonly key: PrimaryKey;
  readonly instructions: readonly Instruction[];
};

export type UploadedEntry = {
  readonly clientVersion: number;
  /** Server version that the client knew when it made the changeset. */
  readonly base: number;
};

export type Verdict =
  | { readonly kind: 'accepted' }
  /** Taken, but the client must be sent the resulting state, since it cannot compute it by itself. */
  | { readonly kind: 'corrected' }
  /** Left out; the reason is shown to the app's error handler. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Judges uploads. Synchronous: it runs inside the integrating transaction. What it throws rejects the upload; when that
 * or another failure of the store undoes a changeset, the caller may send it again.
 */
export interface FlexibleJudge {
  /** Before it is applied: `state` holds everything earlier, including earlier changesets of this upload. */
  beforeApplying(change: ObjectChange, entry: UploadedEntry, state: StateReader): Verdict;
  /**
   * After all accepted changes of the changeset are applied. `before` and `after` are undefined when the object does not
   * exist. A refusal undoes the whole change of that object; then the others are judged once more, on the state without
   * it, so that a change may be judged several times.
   */
  afterApplying(
    change: ObjectChange,
    before: ObjectState | undefined,
    after: ObjectState | undefined,
    entry: UploadedEntry,
    state: StateReader,
  ): Verdict;
  /**
   * Schema instructions of a changeset. Throwing (a `SessionError` of the caller's) rejects the whole upload from this
   * changeset on, as an impossible schema change does.
   */
  schemaChange(instructions: readonly Instruction[], state: StateReader): void;
  /**
   * A change that cannot be merged with what others did to the object, or that does not apply to the state. The verdict `refused` leaves the object's change out;
   * undefined makes the upload fail with 212, as in partition sync.
   */
  doesNotApply(change: ObjectChange, entry: UploadedEntry, problem: Error): Verdict | undefined;
}

/** What a client has to be set right about, kept until it has integrated `version`. */
export type Correction = {
  /** The entry of the client's own that caused it. */
  readonly version: number;
  readonly clientVersion: number;
  readonly objects: readonly {
    readonly table: string;
    readonly key: PrimaryKey;
    /** Present when the write was refused. */
    readonly reason?: string;
  }[];
};

/** What a store keeps about one client file of flexible sync. */
export interface FlexibleFile {
  /** Corrections after a version, oldest first. Those that the client has integrated are gone. */
  corrections(fileIdent: number, after: number): readonly Correction[];
  /** The view that the client was last served, if it was set; see {@link setView}. */
  view(fileIdent: number): string | undefined;
  setView(fileIdent: number, view: string): Promise<void>;
}
