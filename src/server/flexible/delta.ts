/**
 * What happened between two versions of a realm, as those see it who have the same view. Computed and encoded once for
 * all of them; what differs from client to client is added by {@link clientEntries}.
 *
 * Changes of others keep their version, time and origin, so that clients merge them with what they have not uploaded
 * yet, exactly as in partition-based sync. What is made up (states of objects that enter, erasure of those that leave)
 * comes at the end, at the newest version, from the server, and as the oldest of all changes: until the server has
 * judged what a client has not uploaded yet, the client keeps seeing it.
 */
import { encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey } from '../../schema/value.ts';
import type { DownloadCursor, DownloadEntry } from '../../store/server/contract.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';
import type { ChangeWindow, DecodedEntry, RealmSnapshot } from '../../store/server/snapshot-contract.ts';
import { type FatedObject, type Fates, fatesOf } from './fates.ts';
import { objectInstructions } from './object-instructions.ts';
import type { View } from './view.ts';

/** Stands for the server in downloads (spec/server-history.md §2.3). */
const SERVER_FILE_IDENT = 1;
/** Older than whatever a client wrote. */
const OLDEST = 1;
/** Bytes of history beyond which states are sent instead of what led to them: more is not kept in memory. */
export const COLLAPSED_FROM = 8 * 1024 * 1024;
/** Instructions of one made-up changeset; an object is not cut. */
const INSTRUCTIONS_TOGETHER = 5_000;

type ObjectName = { readonly table: string; readonly key: PrimaryKey };

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
  const { snapshot, window, from, to, collapsedFrom = COLLAPSED_FROM } = options;
  const isCollapsed = window.size > collapsedFrom;
  const fates = fatesOf({ now: snapshot, window, from, to });
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
  }
  const made = statesOf(fates, to, snapshot, isCollapsed);
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

export type ClientDelta = {
  readonly entries: readonly DownloadEntry[];
  readonly cursor: DownloadCursor;
  /** Something of it is made up: changes that the client makes without knowing it need to be looked at. */
  readonly synthetic: boolean;
};

export type ClientOptions = {
  readonly fileIdent: number;
  readonly cursor: DownloadCursor;
  /** Of this client, after its cursor. */
  readonly corrections: readonly Correction[];
};

/** What one client has to be sent: its own changes are left out, what it is wrong about is put right. */
export function clientEntries(delta: SharedDelta, options: ClientOptions): ClientDelta {
  const { fileIdent, cursor, corrections } = options;
  const corrected = correctedObjects(corrections);
  const entries: DownloadEntry[] = [];
  let { clientVersion } = cursor;
  for (const { entry, changeset } of delta.entries) {
    if (entry.origin === fileIdent) {
      clientVersion = Math.max(clientVersion, entry.clientVersion);
      continue;
    }
    if (changeset === undefined) continue;
    const bytes = corrected.size === 0 ? changeset : withoutCorrected(entry, delta, corrected, changeset);
    if (bytes === undefined) continue;
    entries.push(downloadEntry(entry.version, clientVersion, entry.timestamp, originOf(entry), bytes));
  }
  for (const correction of corrections) clientVersion = Math.max(clientVersion, correction.clientVersion);
  const own = ownStates(delta, corrected, delta.unseenBy.get(fileIdent));
  const hasOwn = delta.isCollapsed && delta.entries.some(({ entry }) => entry.origin === fileIdent);
  const states = hasOwn ? statesWithoutOwn(delta, fileIdent) : delta.states;
  const made = own === undefined ? states : [...states, own];
  for (const bytes of made) {
    entries.push(downloadEntry(delta.upTo, clientVersion, OLDEST, SERVER_FILE_IDENT, bytes));
  }
  return {
    entries,
    cursor: { serverVersion: delta.upTo, clientVersion },
    synthetic: made.length > 0,
  };
}

function isSeen(instruction: Instruction, fates: Fates, view: View, isCollapsed: boolean): boolean {
  if (!('key' in instruction)) return true;
  if (isCollapsed) return false;
  const { table, key } = instruction;
  const fate = fates.get(table, key);
  if (fate === 'erased') return instruction.op === 'EraseObject';
  if (fate !== 'follows') return false;
  return !('field' in instruction) || view.shows(table, instruction.field);
}

/** What a client changed alone it has already. */
function statesWithoutOwn(delta: SharedDelta, fileIdent: number): Uint8Array[] {
  const { fates, view, snapshot, soleOrigins } = delta;
  const isOwn = ({ table, key, fate }: FatedObject): boolean =>
    (fate === 'follows' || fate === 'erased') && soleOrigins.get(tokenOf(table, key)) === fileIdent;
  return statesOf(fates, view, snapshot, true, isOwn);
}

/** The states and erasures that everybody with the view needs. */
function statesOf(
  fates: Fates,
  view: View,
  now: RealmSnapshot,
  isCollapsed: boolean,
  isLeftOut: (object: FatedObject) => boolean = () => false,
): Uint8Array[] {
  const made: Uint8Array[] = [];
  let instructions: Instruction[] = [];
  for (const object of fates.all()) {
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

function stated(table: string, key: PrimaryKey, view: View, now: RealmSnapshot): Instruction[] {
  const state = now.object(table, key);
  if (state === undefined || !view.includes(table, { key, state }, now)) {
    return [{ op: 'EraseObject', table, key }];
  }
  const shows = (field: string): boolean => view.shows(table, field);
  return objectInstructions(table, key, state, now.schema, { shows, mode: 'restating' });
}

type Corrected = { readonly table: string; readonly key: PrimaryKey; readonly since: number };

/** The objects that the client is wrong about, and since which version. */
function correctedObjects(corrections: readonly Correction[]): ReadonlyMap<string, Corrected> {
  const corrected = new Map<string, Corrected>();
  for (const { version, objects } of corrections) {
    for (const { table, key } of objects) {
      const token = tokenOf(table, key);
      if (!corrected.has(token)) corrected.set(token, { table, key, since: version });
    }
  }
  return corrected;
}

/**
 * The client's object differs from the one that others changed after the correction, so that their changes would not
 * fit: the state at the end says it all.
 */
function withoutCorrected(
  entry: DecodedEntry,
  { fates, view, isCollapsed }: SharedDelta,
  corrected: ReadonlyMap<string, Corrected>,
  changeset: Uint8Array,
): Uint8Array | undefined {
  const isLeftOut = (instruction: Instruction): boolean => {
    if (!('key' in instruction)) return false;
    const correction = corrected.get(tokenOf(instruction.table, instruction.key));
    return correction !== undefined && entry.version > correction.since;
  };
  if (!entry.instructions.some(isLeftOut)) return changeset;
  const left = entry.instructions.filter(
    (instruction) => isSeen(instruction, fates, view, isCollapsed) && !isLeftOut(instruction),
  );
  return left.length === 0 ? undefined : encodeChangeset(left);
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

function ownStates(
  { view, snapshot }: SharedDelta,
  corrected: ReadonlyMap<string, Corrected>,
  touched: ReadonlyMap<string, ObjectName> = new Map(),
): Uint8Array | undefined {
  const instructions: Instruction[] = [];
  for (const { table, key } of corrected.values()) {
    if (snapshot.schema.get(table)?.kind !== 'topLevel') continue;
    instructions.push(...stated(table, key, view, snapshot));
  }
  for (const [token, { table, key }] of touched) {
    if (!corrected.has(token)) instructions.push({ op: 'EraseObject', table, key });
  }
  return instructions.length === 0 ? undefined : encodeChangeset(instructions);
}

function downloadEntry(
  serverVersion: number,
  clientVersion: number,
  timestamp: number,
  originFileIdent: number,
  changeset: Uint8Array,
): DownloadEntry {
  const originalSize = changeset.length;
  return { serverVersion, clientVersion, timestamp, originFileIdent, originalSize, changeset };
}

function originOf({ origin }: DecodedEntry): number {
  return origin === 0 ? SERVER_FILE_IDENT : origin;
}

function tokenOf(table: string, key: PrimaryKey): string {
  return `${table}\n${keyToken(key)}`;
}
