/**
 * The merge of downloaded changesets with local ones that the server had not seen (spec/merge-rules.md §1.2,
 * spec/server-history.md §8.5). Local changesets pass through in pieces: each piece leaves the incoming ones
 * transformed for the next, so that a long backlog is never in memory as a whole.
 */
import { type BadChangesetError, decodeChangeset, reencodeChangeset } from '../../changeset/codec.ts';
import type { Changeset } from '../../changeset/instruction.ts';
import { type StampedChangeset, transform } from '../../merge/transform.ts';
import type { DownloadEntry } from '../server/contract.ts';
import type { LocalChangesetTable } from './local-changesets.ts';
import { TouchedObjects } from './touched-objects.ts';

/** Encoded local changesets merged at once, in bytes; decoded they take about twenty times as much. */
const LOCAL_PIECE_BYTES = 1024 * 1024;

export type IncomingChangeset = { readonly entry: DownloadEntry; readonly changeset: Changeset };

/** Parses everything before anything is changed. Throws {@link BadChangesetError}. */
export function decodeEntries(entries: readonly DownloadEntry[]): IncomingChangeset[] {
  return entries.map((entry) => ({ entry, changeset: decodeChangeset(entry.changeset) }));
}

/** Maximal runs of changesets that were made with the same client version integrated. */
export function runsOf(incoming: readonly IncomingChangeset[]): IncomingChangeset[][] {
  const runs: IncomingChangeset[][] = [];
  for (const next of incoming) {
    const run = runs.at(-1);
    if (run !== undefined && run[0]?.entry.clientVersion === next.entry.clientVersion) run.push(next);
    else runs.push([next]);
  }
  return runs;
}

export class IncomingMerge {
  readonly #locals: LocalChangesetTable;
  readonly #replica: number;
  readonly #fileIdent: number;

  constructor(locals: LocalChangesetTable, replica: number, fileIdent: number) {
    this.#locals = locals;
    this.#replica = replica;
    this.#fileIdent = fileIdent;
  }

  /** Transforms one run and keeps the reciprocal form of every local changeset that it altered. */
  transform(run: readonly IncomingChangeset[]): IncomingChangeset[] {
    let merged: StampedChangeset[] = run.map(({ entry, changeset }) => ({
      changeset,
      timestamp: entry.timestamp,
      fileIdent: entry.originFileIdent,
    }));
    const objects = new TouchedObjects(run.map(({ changeset }) => changeset.instructions));
    const concerns = (touched: Uint8Array | undefined): boolean => objects.mayMeet(touched);
    let after = run[0]?.entry.clientVersion ?? 0;
    for (;;) {
      const piece = this.#locals.reciprocals(this.#replica, after, concerns, LOCAL_PIECE_BYTES);
      const last = piece.at(-1);
      if (last === undefined) break;
      after = last.version;
      const locals = piece.map(({ timestamp, changeset }) => ({
        changeset: decodeChangeset(changeset),
        timestamp,
        fileIdent: this.#fileIdent,
      }));
      const result = transform(locals, merged);
      result.local.forEach(({ changeset, changed }, i) => {
        if (changed)
          this.#locals.putReciprocal(this.#replica, piece[i]!.version, reencodeChangeset(changeset));
      });
      merged = merged.map((stamped, i) => ({ ...stamped, changeset: result.incoming[i]!.changeset }));
    }
    return run.map(({ entry }, i) => ({ entry, changeset: merged[i]!.changeset }));
  }
}
