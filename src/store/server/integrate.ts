/**
 * Integration of an upload into a realm's history (spec/server-history.md §3.2, §3.3): merge with what the client had
 * not seen, apply, append, and keep the reciprocal forms. Runs inside a transaction that the caller rolls back when
 * this throws.
 */
import {
  decodeChangeset,
  decodeToPassOn,
  encodeChangeset,
  reencodeChangeset,
} from '../../changeset/codec.ts';
import type { Changeset, Instruction } from '../../changeset/instruction.ts';
import { type StampedChangeset, transform } from '../../merge/transform.ts';
import { TransformError } from '../../merge/transform-error.ts';
import type { WorkingView } from '../sqlite/working-view.ts';
import { applyInstructions } from '../state/apply.ts';
import { checkUpload } from './check-upload.ts';
import type { ClientFile, ClientFileTable } from './client-file-table.ts';
import type { Upload, UploadCursor, UploadEntry } from './contract.ts';
import type { CorrectionTable } from './correction-table.ts';
import type { EarlierStateTable } from './earlier-state-table.ts';
import { transformFitting, UnfitObjects } from './fitting-merge.ts';
import { HistoryError } from './history-error.ts';
import type { HistoryHead, HistoryTable, MergeEntry } from './history-table.ts';

/** Changeset bytes of the server's side merged at once, so that a client that was long away costs bounded memory. */
const MERGE_RANGE_BYTES = 1024 * 1024;
/** Stands for the server in comparisons of origin stamps and in downloads (spec/server-history.md §2.3). */
export const SERVER_FILE_IDENT = 1;

const NO_PROGRESS: UploadCursor = { clientVersion: 0, serverVersion: 0 };

/** One realm, open for a change. */
export type RealmChange = {
  readonly realm: number;
  readonly view: WorkingView;
  readonly history: HistoryTable;
  readonly clientFiles: ClientFileTable;
  /** Present when the realm serves flexible sync. */
  readonly flexible:
    | { readonly earlier: EarlierStateTable; readonly corrections: CorrectionTable }
    | undefined;
  /** Of the versions made now. */
  readonly salt: bigint;
  /** Milliseconds since 2015-01-01T00:00:00Z. */
  readonly now: number;
};

/**
 * Applies an uploaded changeset to the state and returns what goes into the history as entry `version`. `merged` is the
 * changeset as it follows the entries that its client had not seen; `undefined` when there are none.
 */
export type EntryApplication = (
  entry: UploadEntry,
  merged: Changeset | undefined,
  version: number,
  /** Objects that took no part in the merge; empty unless {@link UploadOptions.leavesOutUnfit}. */
  unfit: UnfitObjects,
) => Uint8Array;

export type UploadOptions = {
  /** How changesets are applied; as they are, unless given. */
  readonly apply?: EntryApplication;
  /** Entries up to this version take no part in merges: the client was sent the state instead. */
  readonly filledFrom?: number;
  /** Objects whose changes cannot be merged are left to {@link apply}; otherwise they make the upload fail. */
  readonly leavesOutUnfit?: boolean;
};

/** Returns the new head. Throws `HistoryError`, `BadChangesetError` or `TransformError`. */
export function integrateUpload(
  change: RealmChange,
  head: HistoryHead,
  fileIdent: number,
  upload: Upload,
  options: UploadOptions = {},
): HistoryHead {
  const file = change.clientFiles.load(change.realm, fileIdent);
  if (file === undefined) throw new HistoryError(208, `client file ident ${fileIdent} is unknown`);
  if (file.lastSeen === 0) throw new HistoryError(222, `client file ${fileIdent} has expired`);
  const fault = checkUpload(
    {
      threshold: { clientVersion: file.clientVersion, serverVersion: file.reciprocalBase },
      progress: NO_PROGRESS,
      downloadServerVersion: head.version,
      lockedServerVersion: 0,
    },
    upload,
  );
  if (fault !== undefined) throw new HistoryError(fault.code, fault.message);
  const integration = new Integration(change, head, fileIdent, options);
  const fresh = upload.entries.filter((entry) => entry.clientVersion > file.clientVersion);
  for (const run of runsOfOneBase(fresh)) integration.integrate(run);
  advance(change, file, upload);
  return integration.head;
}

/** Takes changesets as they are; what does not apply fails the upload. */
export function applyWhole(view: WorkingView): EntryApplication {
  return (entry, merged) => {
    const { changeset, bytes } =
      merged === undefined
        ? decodeToPassOn(entry.changeset)
        : { changeset: merged, bytes: reencodeChangeset(merged) };
    applyInstructions(view, changeset.instructions);
    return bytes;
  };
}

/** Appends a change made by the server itself (spec/server-history.md §3.5). Returns the new head. */
export function appendOwnChange(
  change: RealmChange,
  head: HistoryHead,
  instructions: readonly Instruction[],
): HistoryHead {
  startEntry(change, head.version + 1);
  applyInstructions(change.view, instructions);
  const origin = { origin: 0, clientVersion: 0, timestamp: change.now };
  return append(change, head, origin, encodeChangeset(instructions));
}

class Integration {
  head: HistoryHead;
  readonly #change: RealmChange;
  readonly #client: number;
  readonly #apply: EntryApplication;
  readonly #filledFrom: number;
  readonly #leavesOutUnfit: boolean;
  /** Newest version the uploaded changesets can have to be merged with. */
  readonly #end: number;

  constructor(
    change: RealmChange,
    head: HistoryHead,
    client: number,
    { apply = applyWhole(change.view), filledFrom = 0, leavesOutUnfit = false }: UploadOptions,
  ) {
    this.#change = change;
    this.#filledFrom = filledFrom;
    this.#leavesOutUnfit = leavesOutUnfit;
    this.#apply = apply;
    this.head = head;
    this.#client = client;
    // What a client uploads in many messages on one base is not to be searched again for each of them.
    this.#end = head.tail.origin === client ? head.tail.since : head.version;
  }

  /** Integrates changesets that have the same base. */
  integrate(run: readonly UploadEntry[]): void {
    const unfit = new UnfitObjects();
    const merged = this.#merge(run, unfit);
    for (const [i, entry] of run.entries()) {
      const version = this.head.version + 1;
      startEntry(this.#change, version);
      const bytes = this.#apply(entry, merged?.[i], version, unfit);
      const { clientVersion, timestamp } = entry;
      const origin = { origin: this.#client, clientVersion, timestamp };
      this.head = append(this.#change, this.head, origin, bytes);
    }
  }

  /** The changesets as they follow the server's; `undefined` when there is nothing to merge them with. */
  #merge(run: readonly UploadEntry[], unfit: UnfitObjects): readonly Changeset[] | undefined {
    const { history, realm } = this.#change;
    let after = Math.max(run[0]?.serverVersion ?? this.#end, this.#filledFrom);
    let incoming: readonly StampedChangeset[] | undefined;
    while (after < this.#end) {
      const local = history.mergeRange(realm, this.#client, after, this.#end, MERGE_RANGE_BYTES);
      const last = local.at(-1);
      if (last === undefined) break;
      incoming ??= run.map((entry) => this.#stamped(entry));
      incoming = this.#mergeOrReset(local, incoming, unfit, run);
      after = last.version;
    }
    return incoming?.map(({ changeset }) => changeset);
  }

  /** What was made before the client was sent the state may not fit what followed that state: then it starts anew. */
  #mergeOrReset(
    local: readonly MergeEntry[],
    incoming: readonly StampedChangeset[],
    unfit: UnfitObjects,
    run: readonly UploadEntry[],
  ): readonly StampedChangeset[] {
    try {
      return this.#mergeWith(local, incoming, unfit);
    } catch (error) {
      const base = run[0]?.serverVersion ?? 0;
      if (!(error instanceof TransformError) || base >= this.#filledFrom) throw error;
      throw new HistoryError(
        222,
        `changes on version ${base}, made before the client received the realm, whose history is trimmed: ${error.message}`,
        error,
      );
    }
  }

  #mergeWith(
    entries: readonly MergeEntry[],
    incoming: readonly StampedChangeset[],
    unfit: UnfitObjects,
  ): readonly StampedChangeset[] {
    const local = entries.map(({ origin, timestamp, changeset }) => ({
      timestamp,
      fileIdent: origin === 0 ? SERVER_FILE_IDENT : origin,
      changeset: decodeChangeset(changeset),
    }));
    const transformed = this.#leavesOutUnfit
      ? transformFitting(local, incoming, unfit)
      : transform(local, incoming);
    for (const [i, { changeset, changed }] of transformed.local.entries()) {
      if (!changed) continue;
      const { history, realm } = this.#change;
      history.putReciprocal(realm, this.#client, entries[i]!.version, reencodeChangeset(changeset));
    }
    return transformed.incoming.map(({ changeset }, i) => ({ ...incoming[i]!, changeset }));
  }

  #stamped({ timestamp, changeset }: UploadEntry): StampedChangeset {
    return { timestamp, fileIdent: this.#client, changeset: decodeChangeset(changeset) };
  }
}

/** From here on the state of each object is kept as it was before this entry, where that is asked for. */
function startEntry({ view, flexible }: RealmChange, version: number): void {
  if (flexible !== undefined) view.startEntry(version, flexible.earlier);
}

function append(
  { history, realm, salt }: RealmChange,
  head: HistoryHead,
  origin: { readonly origin: number; readonly clientVersion: number; readonly timestamp: number },
  changeset: Uint8Array,
): HistoryHead {
  const version = head.version + 1;
  const cumulativeSize = head.cumulativeSize + changeset.length;
  history.append(realm, { ...origin, version, salt, cumulativeSize, changeset });
  const tail =
    head.tail.origin === origin.origin ? head.tail : { origin: origin.origin, since: head.version };
  return { version, salt, cumulativeSize, tail };
}

/** Moves the upload cursor (spec/server-history.md §3.2, steps 7 and 8). */
function advance(
  { realm, history, clientFiles, flexible, now }: RealmChange,
  file: ClientFile,
  upload: Upload,
): void {
  let { clientVersion, reciprocalBase } = file;
  const { progress, lockedServerVersion } = upload;
  if (progress.clientVersion > clientVersion) {
    clientVersion = progress.clientVersion;
    if (progress.serverVersion > reciprocalBase) {
      reciprocalBase = progress.serverVersion;
      history.dropReciprocals(realm, file.ident, reciprocalBase);
      flexible?.corrections.drop(realm, file.ident, reciprocalBase);
    }
  }
  clientFiles.advance(realm, {
    ...file,
    clientVersion,
    reciprocalBase,
    lockedServerVersion: Math.max(file.lockedServerVersion, lockedServerVersion),
    lastSeen: now,
  });
}

/** Splits a list, in order, into maximal runs with the same base (spec/merge-rules.md §1.2). */
function runsOfOneBase(entries: readonly UploadEntry[]): readonly (readonly UploadEntry[])[] {
  const runs: UploadEntry[][] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    if (run?.[0]?.serverVersion === entry.serverVersion) run.push(entry);
    else runs.push([entry]);
  }
  return runs;
}
