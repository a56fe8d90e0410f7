/**
 * A realm at one version, with a view back to earlier ones. Flexible sync derives from it what a client that was at an
 * earlier version, and under other queries or rights, has to be sent.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState } from '../state/object-state.ts';
import type { StateReader } from '../state/reader.ts';
import type { SaltedVersion } from './contract.ts';

/** An entry of the history in main form, decoded. */
export type DecodedEntry = {
  readonly version: number;
  /** The client file that made it; 0 is the server. */
  readonly origin: number;
  readonly clientVersion: number;
  readonly timestamp: number;
  readonly instructions: readonly Instruction[];
};

/** An object that entries after a version have created, changed or erased. */
export type TouchedObject = {
  readonly table: string;
  readonly key: PrimaryKey;
  /** As it was at that version; undefined when it did not exist. */
  readonly before: ObjectState | undefined;
};

export interface RealmSnapshot extends StateReader {
  readonly head: SaltedVersion;
  /** The oldest version that {@link window} can look back to. */
  readonly oldest: number;
  /**
   * What happened in (`after`, head]. Reads history and earlier states as they are asked for; keeps in memory the keys of
   * the touched objects. Throws `RangeError` when `after` is below {@link oldest}.
   */
  window(after: number): ChangeWindow;
  close(): void;
}

export interface ChangeWindow {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive: the snapshot's head. */
  readonly upTo: number;
  /** Bytes of all changesets in the window: small windows are sent as they happened, large ones as resulting states. */
  readonly size: number;
  /** Looks, in small steps, for what was touched; without this the first question about it does so at once. */
  prepare(): Iterable<undefined>;
  /** In order, decoded as they are asked for. Empty ones tell how far their client has come. */
  entries(): Iterable<DecodedEntry>;
  /**
   * Every top-level object that an entry of the window names, once, in the order of the first touch. Objects of a class
   * that was erased since are left out.
   */
  touched(): Iterable<TouchedObject>;
  isTouched(table: string, key: PrimaryKey): boolean;
  /** An object as it is at {@link upTo}; a touched one of a small window is read once for all views that ask. */
  atEnd(table: string, key: PrimaryKey): ObjectState | undefined;
  /**
   * The state of the realm at `after`: touched objects as they were, everything else as it is. The schema is that of the
   * head: what was erased of it since is not shown.
   */
  readonly before: StateReader;
}
