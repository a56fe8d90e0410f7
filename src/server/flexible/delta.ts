/**
 * What happened between two versions of a realm, as those see it who have the same view. Computed and encoded once for
 * all of them; what differs from client to client is added by client-delta.ts.
 *
 * Changes of others keep their version, time and origin, so that clients merge them with what they have not uploaded
 * yet, exactly as in partition-based sync. What is made up (states of objects that enter, erasure of those that leave)
 * comes at the end, at the newest version, from the server, and as the oldest of all changes: until the server has
 * judged what a client has not uploaded yet, the client keeps seeing it.
 */
import { encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { ChangeWindow, DecodedEntry, RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import { type FatedObject, type Fates, fatesOf } from './fates.ts';
import { objectInstructions } from './object-instructions.ts';
import { finish, type Steps } from './steps.ts';
import type { View } from './view.ts';

/** Bytes of history beyond which states are sent instead of what led to them: more is not kept in memory. */
export const COLLAPSED_FROM = 8 * 1024 * 1024;
/** Instructions of one made-up changeset; an object is not cut. */
const INSTRUCTIONS_TOGETHER = 5_000;

export type ObjectName = { readonly table: string; readonly key: PrimaryKey };

type SharedEntry = {
  readonly entry: DecodedEntry;
  /** What others than its maker see of it; undefined when that is nothing. */
  readonly changeset: Uint8Array | undefined;
};

export type SharedDelta = {
  readonly upTo: number;
  /** Nothing of it concerns anybody with this view who made none of the changes. */
  readonly isEmpty: boolean;
  readonly entries: readonly SharedEntry[];
  /** States and erasures at {@link upTo}. */
  readonly states: readonly Uint8Array[];
  readonly fates: Fates;
  /** Objects outside the view that were touched, by who touched them. */
  readonly unseenBy: ReadonlyMap<number, ReadonlyMap<string, ObjectName>>;
  readonly view: View;
  /** Sent as states throughout. */
  readonly isCollapsed: boolean;
  /** In a collapsed delta: who alone changed an object, and so knows its state; undefined when there were several. */
  readonly soleOrigins: ReadonlyMap<string, number | undefined>;
  readonly snapshot: RealmSnapshot;
};

export type DeltaOptions = {
  readonly snapshot: RealmSnapshot;
  readonly window: ChangeWindow;
  readonly from: View;
  readonly to: View;
  /** Bytes of history beyond which states are sent; {@link COLLAPSED_FROM} unless given. */
  readonly collapsedFrom?: number;
};

export function sharedDelta(options: DeltaOptions): SharedDelta {
  return finish(sharedDeltaSteps(options));
}

export function* sharedDeltaSteps(options: DeltaOptions): Steps<SharedDelta> {
  const { snapshot, window, from, to, collapsedFrom = COLLAPSED_FROM } = options;
  const isCollapsed = window.size > collapsedFrom;
  const fates = yield* fatesOf({ now: snapshot, window, from, to });
  const entries: SharedEntry[] = [];
  const unseenBy = new Map<number, Map<string, ObjectName>>();
  const soleOrigins = new Map<string, number | undefined>();
  for (const entry of window.entries()) {
    if (isCollapsed) collectOrigins(entry, soleOrigins);
    collectUnseen(entry, fates, unseenBy);
    const seen = entry.instructions.filter((instruction) => isSeen(instruction, fates, to, isCollapsed));
    entries.push({
      entry: isCollapsed ? { ...entry, instructions: [] } : entry,
      changeset: seen.length === 0 ? undefined : encodeChangeset(seen),
    });
    yield;
  }
  const made = yield* statesOf(fates, to, snapshot, isCollapsed);
  const isEmpty = made.length === 0 && entries.every(({ changeset }) => changeset === undefined);
  return {
    upTo: window.upTo,
    isEmpty,
    entries,
    states: made,
    fates,
    unseenBy,
    view: to,
    isCollapsed,
    soleOrigins,
    snapshot,
  };
}

export function isSeen(instruction: Instruction, fates: Fates, view: View, isCollapsed: boolean): boolean {
  if (!('key' in instruction)) return true;
  if (isCollapsed) return false;
  const { table, key } = instruction;
  const fate = fates.get(table, key);
  if (fate === 'erased') return instruction.op === 'EraseObject';
  if (fate !== 'follows') return false;
  return !('field' in instruction) || view.shows(table, instruction.field);
}

/** The states and erasures that everybody with the view needs. */
export function* statesOf(
  fates: Fates,
  view: View,
  now: RealmSnapshot,
  isCollapsed: boolean,
  isLeftOut: (object: FatedObject) => boolean = () => false,
): Steps<Uint8Array[]> {
  const made: Uint8Array[] = [];
  let instructions: Instruction[] = [];
  for (const object of fates.all()) {
    yield;
    if (isLeftOut(object)) continue;
    const { table, key, fate } = object;
    const isStated = fate === 'enters' || (fate === 'follows' && isCollapsed);
    if (isStated) instructions.push(...stated(table, key, view, now));
    else if (fate === 'leaves' || (fate === 'erased' && isCollapsed))
      instructions.push({ op: 'EraseObject', table, key });
    if (instructions.length < INSTRUCTIONS_TOGETHER) continue;
    made.push(encodeChangeset(instructions));
    instructions = [];
  }
  if (instructions.length > 0) made.push(encodeChangeset(instructions));
  return made;
}

export function stated(table: string, key: PrimaryKey, view: View, now: RealmSnapshot): Instruction[] {
  const state = now.object(table, key);
  if (state === undefined || !view.includes(table, { key, state }, now)) {
    return [{ op: 'EraseObject', table, key }];
  }
  const shows = (field: string): boolean => view.shows(table, field);
  return objectInstructions(table, key, state, now.schema, { shows, mode: 'restating' });
}

function collectOrigins(
  { origin, instructions }: DecodedEntry,
  soleOrigins: Map<string, number | undefined>,
): void {
  for (const instruction of instructions) {
    if (!('key' in instruction)) continue;
    const token = tokenOf(instruction.table, instruction.key);
    if (!soleOrigins.has(token)) soleOrigins.set(token, origin);
    else if (soleOrigins.get(token) !== origin) soleOrigins.set(token, undefined);
  }
}

/** Whoever touched an object outside the view may still have it, unlike all others. */
function collectUnseen(
  { origin, instructions }: DecodedEntry,
  fates: Fates,
  unseenBy: Map<number, Map<string, ObjectName>>,
): void {
  for (const instruction of instructions) {
    if (!('key' in instruction)) continue;
    const { table, key } = instruction;
    if (fates.get(table, key) !== 'unseen') continue;
    let unseen = unseenBy.get(origin);
    if (unseen === undefined) {
      unseen = new Map();
      unseenBy.set(origin, unseen);
    }
    unseen.set(tokenOf(table, key), { table, key });
  }
}

export function tokenOf(table: string, key: PrimaryKey): string {
  return `${table}\n${keyToken(key)}`;
}
