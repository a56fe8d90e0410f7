/** What makes a database ready to be followed; for `isthmus prepare-database`, and for remedies. */

/** SQL Server 2016, whose OPENJSON reads the rows that are written. */
export const LEAST_COMPATIBILITY = 130;
/** How long an adapter may be away before changes are forgotten. The server's own two days are less than a long weekend. */
const RETENTION = '7 DAYS';

export function enableDatabaseTracking(database: string): string {
  return `ALTER DATABASE ${shown(database)} SET CHANGE_TRACKING = ON (CHANGE_RETENTION = ${RETENTION}, AUTO_CLEANUP = ON)`;
}

export function allowSnapshots(database: string): string {
  return `ALTER DATABASE ${shown(database)} SET ALLOW_SNAPSHOT_ISOLATION ON`;
}

export function raiseCompatibility(database: string): string {
  return `ALTER DATABASE ${shown(database)} SET COMPATIBILITY_LEVEL = ${LEAST_COMPATIBILITY}`;
}

/** Names in remedies are shown whatever their length. */
export function shown(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}
