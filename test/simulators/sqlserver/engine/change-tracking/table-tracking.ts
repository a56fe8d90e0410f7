/** What change tracking knows of one table: for every changed key its changes in the order of versions. */
import type { Datum } from '../../contract.ts';

export type Operation = 'I' | 'U' | 'D';

export type TrackedChange = {
  readonly version: number;
  readonly operation: Operation;
  /** For an update with column tracking on: ids of the columns that it set; undefined: all of them. */
  readonly columns: ReadonlySet<number> | undefined;
  readonly context: Uint8Array | null;
};

export type TrackedKey = { readonly key: readonly Datum[]; changes: TrackedChange[] };

/** A value that changed with commits: what a snapshot sees is the one of its time. */
type Since<T> = { readonly commit: number; readonly value: T };

export class TableTracking {
  readonly columnsTracked: boolean;
  /** The version of the database when tracking of the table began (sql-server.md fact 20). */
  readonly beginVersion: number;
  cleanupVersion = 0;
  readonly keys = new Map<string, TrackedKey>();
  /** The commit that began it: tells one tracking of a table from the next. */
  readonly since: number;
  readonly #minValid: Since<number>[];

  constructor(columnsTracked: boolean, beginVersion: number, commit: number) {
    this.columnsTracked = columnsTracked;
    this.beginVersion = beginVersion;
    this.since = commit;
    this.#minValid = [{ commit, value: beginVersion }];
  }

  /** The oldest version that CHANGETABLE may be asked from, as a snapshot of `commit` sees it. */
  minValidVersion(commit = Number.POSITIVE_INFINITY): number {
    let found = this.#minValid[0]!.value;
    for (const since of this.#minValid) if (since.commit <= commit) found = since.value;
    return found;
  }

  raiseMinValid(version: number, commit: number): void {
    if (version > this.minValidVersion()) this.#minValid.push({ commit, value: version });
  }

  record(mapKey: string, key: readonly Datum[], change: TrackedChange): void {
    const known = this.keys.get(mapKey);
    if (known) known.changes.push(change);
    else this.keys.set(mapKey, { key, changes: [change] });
  }

  forgetAfter(version: number): void {
    for (const [mapKey, tracked] of this.keys) {
      tracked.changes = tracked.changes.filter((change) => change.version <= version);
      if (tracked.changes.length === 0) this.keys.delete(mapKey);
    }
  }

  /** Forgets changes up to and including `version`. */
  forget(version: number): void {
    for (const [mapKey, tracked] of this.keys) {
      tracked.changes = tracked.changes.filter((change) => change.version > version);
      if (tracked.changes.length === 0) this.keys.delete(mapKey);
    }
  }
}
