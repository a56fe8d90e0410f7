/** What one client needs of what happened between two versions, beside what all with its view do. */
import { encodeChangeset } from '../../changeset/codec.ts';
import type { Instruction } from '../../changeset/instruction.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { DownloadCursor, DownloadEntry } from '../../store/server/contract.ts';
import type { Correction } from '../../store/server/flexible-contract.ts';
import type { DecodedEntry } from '../../store/server/snapshot-contract.ts';
import { isSeen, type ObjectName, type SharedDelta, stated, statesOf, tokenOf } from './delta.ts';
import type { FatedObject } from './fates.ts';
import { finish, type Steps } from './steps.ts';

/** Stands for the server in downloads (spec/server-history.md §2.3). */
const SERVER_FILE_IDENT = 1;
/** Older than whatever a client wrote. */
const OLDEST = 1;

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
  return finish(clientEntrySteps(delta, options));
}

export function* clientEntrySteps(delta: SharedDelta, options: ClientOptions): Steps<ClientDelta> {
  const { fileIdent, cursor, corrections } = options;
  const corrected = correctedObjects(corrections);
  const entries: DownloadEntry[] = [];
  let { clientVersion } = cursor;
  for (const { entry, changeset } of delta.entries) {
    yield;
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
  const states = hasOwn ? yield* statesWithoutOwn(delta, fileIdent) : delta.states;
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

/** What a client changed alone it has already. */
function statesWithoutOwn(delta: SharedDelta, fileIdent: number): Steps<Uint8Array[]> {
  const { fates, view, snapshot, soleOrigins } = delta;
  const isOwn = ({ table, key, fate }: FatedObject): boolean =>
    (fate === 'follows' || fate === 'erased') && soleOrigins.get(tokenOf(table, key)) === fileIdent;
  return statesOf(fates, view, snapshot, true, isOwn);
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
