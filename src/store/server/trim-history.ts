/** How far a history may be trimmed, and trimming it (spec/server-history.md §6). */
import type { ClientFileTable } from './client-file-table.ts';
import type { HistoryHead, HistoryTable } from './history-table.ts';
import type { HistoryBase, RealmTable } from './realm-table.ts';

export type HistoryLimits = {
  /** A client file that was not seen for so many milliseconds expires, and no longer holds up trimming. */
  readonly maxOffline: number;
  /** The newest entries that are kept in any case, so that returning clients need not be told the whole state… */
  readonly keptVersions: number;
  /** … and the bytes of changesets that are kept. */
  readonly keptBytes: number;
};

export const DEFAULT_HISTORY_LIMITS: HistoryLimits = {
  maxOffline: 30 * 24 * 60 * 60 * 1000,
  keptVersions: 1000,
  keptBytes: 16 * 1024 * 1024,
};

/** Entries that are removed in one change, and about the bytes of them, so that others wait a few milliseconds at most. */
const PORTION_VERSIONS = 1000;
const PORTION_BYTES = 8 * 1024 * 1024;

/** One realm, open for trimming. */
export type TrimPlace = {
  readonly realm: number;
  readonly history: HistoryTable;
  readonly clientFiles: ClientFileTable;
  readonly head: HistoryHead;
  readonly base: HistoryBase;
};

/** The version that the next step of trimming makes the base; the present base when there is nothing to trim. */
export function nextBase(place: TrimPlace, limits: HistoryLimits): number {
  const { realm, clientFiles, head, base } = place;
  const needed = clientFiles.oldestNeeded(realm) ?? head.version;
  const target = Math.min(needed, newestBeyond(place, limits));
  if (target <= base.version) return base.version;
  let next = Math.min(target, base.version + PORTION_VERSIONS);
  while (next > base.version + 1 && sizeAt(place, next) - base.cumulativeSize > PORTION_BYTES) {
    next = base.version + Math.ceil((next - base.version) / 2);
  }
  return next;
}

/** Removes the entries up to `version`, which becomes the base. */
export function trimTo({ realm, history }: TrimPlace, realms: RealmTable, version: number): void {
  const salt = history.saltOf(realm, version) ?? 0n;
  realms.setBase(realm, { version, salt, cumulativeSize: history.cumulativeSizeAt(realm, version) });
  history.drop(realm, version);
}

/** The newest version that lies before everything that is kept in any case. */
function newestBeyond(place: TrimPlace, { keptVersions, keptBytes }: HistoryLimits): number {
  const { head, base } = place;
  const largest = head.cumulativeSize - keptBytes;
  let low = base.version;
  // The newest entry always stays: it is what the head is read from.
  let high = head.version - Math.max(1, keptVersions);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sizeAt(place, middle) <= largest) low = middle;
    else high = middle - 1;
  }
  return low;
}

function sizeAt({ realm, history, base }: TrimPlace, version: number): number {
  return version === base.version ? base.cumulativeSize : history.cumulativeSizeAt(realm, version);
}
