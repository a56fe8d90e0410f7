/** Change tracking of a database: its version counter and what each commit got. */

export type RetentionUnit = 'minutes' | 'hours' | 'days';

export type TrackedCommit = { readonly commit: number; readonly version: number; readonly time: number };

export class DatabaseTracking {
  autoCleanup = true;
  retention: { readonly period: number; readonly unit: RetentionUnit } = { period: 2, unit: 'days' };
  /** The version of the last committed transaction that changed tracked tables; 0 before any (fact 2). */
  current = 0;
  /** Everything up to here has been cleaned up. */
  cleanupVersion = 0;
  readonly commits: TrackedCommit[] = [];

  /** The current version as a snapshot of `commit` sees it. */
  versionAt(commit: number | undefined): number {
    if (commit === undefined) return this.current;
    const last = this.commits.at(-1);
    if (!last || last.commit <= commit) return this.current;
    let low = 0;
    let high = this.commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.commits[middle]!.commit <= commit) low = middle + 1;
      else high = middle;
    }
    const found = this.commits[low - 1];
    return found ? found.version : this.commits[0]!.version - 1;
  }

  /** A transaction that changed tracked tables is committed. */
  next(commit: number, time: number): number {
    this.current += 1;
    this.commits.push({ commit, version: this.current, time });
    return this.current;
  }

  get retentionMilliseconds(): number {
    const unit = { minutes: 60_000, hours: 3_600_000, days: 86_400_000 }[this.retention.unit];
    return this.retention.period * unit;
  }
}
