/** Switches that make the server fail where a real one sometimes does. */
import { defaultBehaviour, type UnprovedBehaviour } from './change-tracking/net-changes.ts';

/** What administrators and background tasks do to a database's change tracking. */
type Maintenance = Pick<Faults, 'cleanUpChangeTracking' | 'restoreChangeTracking'>;

export class Faults {
  /** Snapshot transactions fail with 3952, whatever the databases allow. */
  snapshotOff = false;
  /**
   * Shows itself as Azure SQL Database: sys.databases numbers databases otherwise than DB_ID() does, everybody sees but his
   * own and `master`, and the version is that of all of Azure.
   */
  azure = false;
  /** `sp_configure 'user options', 512`: sessions begin with NOCOUNT ON. */
  noCountAtFirst = false;
  /** How the open questions of sql-server.md are answered. */
  readonly behaviour: UnprovedBehaviour = defaultBehaviour();
  /** Forgets changes up to a version of a database, as the cleanup task does with what is older than the retention. */
  readonly cleanUpChangeTracking: (database: string, upTo: number) => void;
  /** Sets a database's version counter back, as a restore of an older backup does. */
  readonly restoreChangeTracking: (database: string, version: number) => void;
  #deadlockAfter: number | undefined;
  #conflictAfter: number | undefined;
  #conflictOnCommit = 0;

  /** `maintenance` is what happens to a server from outside. */
  constructor(maintenance: Maintenance) {
    this.cleanUpChangeTracking = maintenance.cleanUpChangeTracking;
    this.restoreChangeTracking = maintenance.restoreChangeTracking;
  }

  /** The n-th INSERT, UPDATE or DELETE from now on (1: the next) dies of a deadlock. */
  deadlockOn(statement: number): void {
    this.#deadlockAfter = statement;
  }

  /** The n-th INSERT, UPDATE or DELETE from now on (1: the next) in a SNAPSHOT transaction meets an update conflict. */
  conflictOn(statement: number): void {
    this.#conflictAfter = statement;
  }

  /** So many next commits of SNAPSHOT transactions fail with an update conflict. */
  conflictOnCommits(count: number): void {
    this.#conflictOnCommit = count;
  }

  takeDeadlock(): boolean {
    if (this.#deadlockAfter === undefined || --this.#deadlockAfter > 0) return false;
    this.#deadlockAfter = undefined;
    return true;
  }

  takeConflict(): boolean {
    if (this.#conflictAfter === undefined || --this.#conflictAfter > 0) return false;
    this.#conflictAfter = undefined;
    return true;
  }

  takeCommitConflict(): boolean {
    if (this.#conflictOnCommit === 0) return false;
    this.#conflictOnCommit--;
    return true;
  }
}
