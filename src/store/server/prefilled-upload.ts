/**
 * Changesets that a client made before it was sent the state of the realm in place of its history. The client merges
 * them with that state, written at the oldest time there is, by server ident; here the state is already applied. For most
 * changes the outcome is the same without a merge. Where it is not, the client must be reset: it then fetches the realm
 * anew, and its changes follow as new ones (spec/server-history.md §6).
 */
import {
  decodeChangeset,
  decodeToPassOn,
  encodeChangeset,
  reencodeChangeset,
} from '../../changeset/codec.ts';
import type { Changeset, Instruction, ObjectInstruction, Update } from '../../changeset/instruction.ts';
import { keyToken } from '../../schema/value.ts';
import { applyInstructions } from '../state/apply.ts';
import type { UploadEntry } from './contract.ts';
import { HistoryError } from './history-error.ts';
import type { HistoryHead } from './history-table.ts';
import { applyWhole, type EntryApplication, type RealmChange } from './integrate.ts';

/** Objects that a client created itself since it was sent the state, by class and key token. */
export type OwnObjects = Set<string>;

export type Prefill = {
  /** The version whose state the client is or was sent. */
  readonly filledFrom: number;
  /** The same of the first attempt: lower when that one was cut off, and the client may have a part of it. */
  readonly firstFilledFrom: number;
};

/** Applies changesets with a base below `filledFrom`; `own` is extended. */
export function applyPrefilled(
  change: RealmChange,
  head: HistoryHead,
  { filledFrom, firstFilledFrom }: Prefill,
  own: OwnObjects,
): EntryApplication {
  const whole = applyWhole(change.view);
  let since: ChangesSince | undefined;
  const changes = () => {
    since ??= changesAfter(change, firstFilledFrom, filledFrom, head.version);
    return since;
  };
  const circumstances: Omit<Circumstances, 'hadNothing'> = {
    own,
    settled: new Set(),
    wasErased: (place) => firstFilledFrom < filledFrom && changes().erased.has(place),
    isTouchedSince: (place) => changes().touched.has(place),
  };
  return (entry, merged, version, unfit) => {
    if (entry.serverVersion >= filledFrom) return whole(entry, merged, version, unfit);
    const { changeset, bytes } = passedOn(entry, merged);
    const ofEntry = { ...circumstances, hadNothing: entry.serverVersion === 0 };
    const left: Instruction[] = [];
    for (const instruction of changeset.instructions) {
      if ('key' in instruction && !isTaken(change, instruction, ofEntry)) continue;
      // One by one: what follows is judged by what is there.
      applyInstructions(change.view, [instruction]);
      left.push(instruction);
    }
    return left.length === changeset.instructions.length ? bytes() : encodeChangeset(left);
  };
}

type Circumstances = {
  readonly own: OwnObjects;
  /** Whether the client had nothing of the state when it made the change. */
  readonly hadNothing: boolean;
  /**
   * Fields of which the state says nothing more in the merge: the upload has overwritten what it held, or it held
   * nothing. What earlier uploads wrote counts as touched.
   */
  readonly settled: Set<string>;
  /** Whether an entry between the first attempt and this one erases the object: then an attempt may have erased it too. */
  readonly wasErased: (place: string) => boolean;
  /** Whether an entry since the first attempt names the object. */
  readonly isTouchedSince: (place: string) => boolean;
};

function passedOn(
  entry: UploadEntry,
  merged: Changeset | undefined,
): { readonly changeset: Changeset; readonly bytes: () => Uint8Array } {
  if (merged !== undefined) return { changeset: merged, bytes: () => reencodeChangeset(merged) };
  const { changeset, bytes } = decodeToPassOn(entry.changeset);
  return { changeset, bytes: () => bytes };
}

/** False for what the merge with the state leaves out. Throws where the merge would have to be made. */
function isTaken(change: RealmChange, instruction: ObjectInstruction, circumstances: Circumstances): boolean {
  const { op, table, key } = instruction;
  const { own, wasErased } = circumstances;
  const place = placeOf(instruction);
  if (own.has(place)) return true;
  const exists = change.view.has(table, key);
  if (op === 'EraseObject' && !exists) return true;
  // What an attempt erased is gone from the merge for good, even if others have made it anew.
  if (!wasErased(place)) {
    if (op === 'CreateObject') {
      if (!exists) own.add(place);
      return true;
    }
    if (op === 'Update' && exists && instruction.path.length === 0 && isPlain(instruction.value.type)) {
      const prevails = prevailsOverState(change, instruction, place, circumstances);
      if (prevails !== undefined) return prevails;
    }
  }
  throw new HistoryError(
    222,
    `${op} on ${table}[${keyToken(key)}] was made before the client received the realm, whose history is trimmed`,
  );
}

/**
 * Whether a plain value stands against what the state has in its place: a default gives way (spec/merge-rules.md §6.1),
 * unless the state's value has given way already, or the client had it and wrote over it. `undefined` when that is
 * unknown, or when the state that is or was sent cannot be told from what came after it.
 */
function prevailsOverState(
  { view }: RealmChange,
  { table, key, field, isDefault }: Update,
  place: string,
  { settled, hadNothing, isTouchedSince }: Circumstances,
): boolean | undefined {
  const fieldPlace = `${field}\0${place}`;
  if (isDefault === true && !settled.has(fieldPlace)) {
    if (isTouchedSince(place)) return undefined;
    if (view.object(table, key)?.fields.has(field) === true) return hadNothing ? false : undefined;
  }
  settled.add(fieldPlace);
  return true;
}

function isPlain(type: string): boolean {
  return !['object', 'list', 'dictionary', 'set', 'erased'].includes(type);
}

type ChangesSince = {
  /** Objects that entries name. */
  readonly touched: ReadonlySet<string>;
  /** Objects that entries up to the state that is sent erase. */
  readonly erased: ReadonlySet<string>;
};

function changesAfter(
  { history, realm }: RealmChange,
  after: number,
  filledFrom: number,
  upTo: number,
): ChangesSince {
  const touched = new Set<string>();
  const erased = new Set<string>();
  let entry = history.nextEntry(realm, after);
  for (; entry !== undefined && entry.version <= upTo; entry = history.nextEntry(realm, entry.version)) {
    for (const instruction of decodeChangeset(entry.changeset).instructions) {
      if (!('key' in instruction)) continue;
      const place = placeOf(instruction);
      touched.add(place);
      if (instruction.op === 'EraseObject' && entry.version <= filledFrom) erased.add(place);
    }
  }
  return { touched, erased };
}

function placeOf({ table, key }: ObjectInstruction): string {
  return `${table} ${keyToken(key)}`;
}
