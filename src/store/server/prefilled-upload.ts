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
import type { Changeset, Instruction, ObjectInstruction } from '../../changeset/instruction.ts';
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
  let touched: ReadonlySet<string> | undefined;
  const circumstances: Circumstances = {
    own,
    wasCutOff: firstFilledFrom < filledFrom,
    isTouchedSince(place) {
      touched ??= touchedAfter(change, firstFilledFrom, head.version);
      return touched.has(place);
    },
  };
  return (entry, merged, version, unfit) => {
    if (entry.serverVersion >= filledFrom) return whole(entry, merged, version, unfit);
    const { changeset, bytes } = passedOn(entry, merged);
    const left: Instruction[] = [];
    for (const instruction of changeset.instructions) {
      if ('key' in instruction && !isTaken(change, instruction, circumstances)) continue;
      // One by one: what follows is judged by what is there.
      applyInstructions(change.view, [instruction]);
      left.push(instruction);
    }
    return left.length === changeset.instructions.length ? bytes() : encodeChangeset(left);
  };
}

type Circumstances = {
  readonly own: OwnObjects;
  readonly wasCutOff: boolean;
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
function isTaken(
  { view }: RealmChange,
  instruction: ObjectInstruction,
  { own, wasCutOff, isTouchedSince }: Circumstances,
): boolean {
  const { op, table, key } = instruction;
  const place = placeOf(instruction);
  if (own.has(place)) return true;
  if (!view.has(table, key)) {
    if (op === 'EraseObject') return true;
    // What the client has of a first attempt may have been erased before the second one.
    if (op === 'CreateObject' && !(wasCutOff && isTouchedSince(place))) {
      own.add(place);
      return true;
    }
  } else {
    if (op === 'CreateObject') return true;
    if (op === 'Update' && instruction.path.length === 0 && isPlain(instruction.value.type)) {
      if (instruction.isDefault !== true) return true;
      // A default gives way to what the state holds (spec/merge-rules.md §6.1); with entries it was merged already.
      if (!isTouchedSince(place)) return view.object(table, key)?.fields.has(instruction.field) !== true;
    }
  }
  throw new HistoryError(
    222,
    `${op} on ${table}[${keyToken(key)}] was made before the client received the realm, whose history is trimmed`,
  );
}

function isPlain(type: string): boolean {
  return !['object', 'list', 'dictionary', 'set', 'erased'].includes(type);
}

function touchedAfter({ history, realm }: RealmChange, after: number, upTo: number): ReadonlySet<string> {
  const touched = new Set<string>();
  let entry = history.nextEntry(realm, after);
  for (; entry !== undefined && entry.version <= upTo; entry = history.nextEntry(realm, entry.version)) {
    for (const instruction of decodeChangeset(entry.changeset).instructions) {
      if ('key' in instruction) touched.add(placeOf(instruction));
    }
  }
  return touched;
}

function placeOf({ table, key }: ObjectInstruction): string {
  return `${table} ${keyToken(key)}`;
}
