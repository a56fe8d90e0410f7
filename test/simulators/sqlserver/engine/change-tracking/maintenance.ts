/** Cleanup and restore: what happens to change tracking from outside (sql-server.md facts 21 to 24). */
import { type Instance, noDatabase } from '../storage/instance.ts';

/** Changes up to a version are forgotten; snapshots that are open go on seeing what they saw. */
export function cleanUpTracking(instance: Instance, name: string, upTo: number): void {
  const database = instance.database(name);
  const tracking = database?.tracking;
  if (!database || !tracking) throw noDatabase(name);
  const version = Math.min(upTo, tracking.current);
  instance.commits++;
  tracking.cleanupVersion = Math.max(tracking.cleanupVersion, version);
  for (const table of database.tables.values()) {
    if (!table.tracking) continue;
    table.tracking.cleanupVersion = version;
    table.tracking.raiseMinValid(version, instance.commits);
    const { tracking: own } = table;
    instance.whenUnseen(() => own.forget(version));
  }
}

/** The counter is set back, and what came after it was never. */
export function restoreVersion(instance: Instance, name: string, version: number): void {
  const database = instance.database(name);
  const tracking = database?.tracking;
  if (!database || !tracking) throw noDatabase(name);
  tracking.current = version;
  while ((tracking.commits.at(-1)?.version ?? 0) > version) tracking.commits.pop();
  for (const table of database.tables.values()) table.tracking?.forgetAfter(version);
}
