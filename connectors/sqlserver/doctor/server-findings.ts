/** What a SQL Server and the database must be set to for a connector to work at all. */
import { type Finding, failed, fine, warning } from '../../../src/connector/finding.ts';
import { SqlServerServerError } from '../errors.ts';
import type { Session } from '../session.ts';
import {
  allowSnapshots,
  enableDatabaseTracking,
  LEAST_COMPATIBILITY,
  raiseCompatibility,
} from '../tracking-statements.ts';

/** SQL Server 2016. */
const OLDEST_VERSION = 13;
/** SQL Server 2025. */
const NEWEST_KNOWN = 17;
/** Azure SQL Database and Managed Instance are always of the newest, whatever number they show. */
const AZURE_EDITIONS: ReadonlySet<string> = new Set(['5', '8']);
/** Azure Synapse, which has neither change tracking nor foreign keys. */
const SYNAPSE_EDITIONS: ReadonlySet<string> = new Set(['6', '11']);

/**
 * The row of the current database is looked for by its name: in Azure SQL Database, DB_ID() and sys.databases number
 * databases differently. Whether changes are tracked is asked of the function, since the view that says so may hide.
 */
export const SITUATION =
  "SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), CONVERT(varchar(10), SERVERPROPERTY('EngineEdition')), " +
  "CONVERT(nvarchar(128), SERVERPROPERTY('Edition')), CONVERT(varchar(10), d.[compatibility_level]), " +
  'CONVERT(varchar(10), d.[snapshot_isolation_state]), ' +
  "CONVERT(nvarchar(128), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')), DB_NAME(), " +
  'CASE WHEN CHANGE_TRACKING_CURRENT_VERSION() IS NULL THEN 0 ELSE 1 END ' +
  'FROM sys.databases AS d WHERE d.[name] = DB_NAME();';

export type Situation = {
  readonly version: string;
  readonly engineEdition: string;
  readonly edition: string;
  readonly compatibility: number;
  /** `0` off, `1` on, `2` and `3` on the way to it. */
  readonly snapshots: string;
  readonly writable: boolean;
  readonly database: string;
  readonly tracked: boolean;
};

export async function readSituation(session: Session): Promise<Situation> {
  const [row] = await session.query(SITUATION);
  if (row === undefined) throw new SqlServerServerError('the server does not show its own current database');
  const [version, engineEdition, edition, compatibility, snapshots, updateability, database, tracked] = row;
  return {
    version: version ?? '',
    engineEdition: engineEdition ?? '',
    edition: edition ?? '',
    compatibility: Number(compatibility),
    snapshots: snapshots ?? '',
    writable: updateability === 'READ_WRITE',
    database: database ?? '',
    tracked: tracked === '1',
  };
}

/** What is to be run by somebody who may, for the database to be followed. */
export function databaseStatements({
  compatibility,
  snapshots,
  database,
  tracked,
}: Situation): readonly string[] {
  return [
    ...(compatibility < LEAST_COMPATIBILITY ? [raiseCompatibility(database)] : []),
    ...(snapshots === '1' || snapshots === '3' ? [] : [allowSnapshots(database)]),
    ...(tracked ? [] : [enableDatabaseTracking(database)]),
  ];
}

/** In the order in which they should be mended. */
export function serverFindings(situation: Situation): readonly Finding[] {
  const { compatibility, snapshots, writable, database, tracked } = situation;
  const remedy = `run isthmus prepare-database, or ${databaseStatements(situation).join('; ')}`;
  const lacks = (check: string, message: string): Finding =>
    failed(check, new SqlServerServerError(message, { remedy }));
  return [
    versionFinding(situation),
    writable
      ? fine('sqlserver/writable', `the database ${database} can be written to`)
      : failed(
          'sqlserver/writable',
          new SqlServerServerError(`the database ${database} is read-only`, {
            remedy: `name the primary replica in sqlserverConfig, or run ALTER DATABASE [${database}] SET READ_WRITE`,
            errorClass: 'transient',
          }),
        ),
    compatibility >= LEAST_COMPATIBILITY
      ? fine('sqlserver/compatibility-level', `the compatibility level of ${database} is ${compatibility}`)
      : lacks(
          'sqlserver/compatibility-level',
          `the compatibility level of the database ${database} is ${compatibility}, and ${LEAST_COMPATIBILITY} is needed for OPENJSON`,
        ),
    snapshots === '1'
      ? fine('sqlserver/snapshot-isolation', `snapshot isolation is allowed in ${database}`)
      : snapshots === '3'
        ? warning(
            'sqlserver/snapshot-isolation',
            `snapshot isolation is being switched on in ${database}, which waits for transactions that are open`,
            'end transactions that are open for long',
          )
        : lacks(
            'sqlserver/snapshot-isolation',
            `snapshot isolation is not allowed in the database ${database}`,
          ),
    !tracked
      ? lacks('sqlserver/change-tracking', `change tracking is off for the database ${database}`)
      : fine('sqlserver/change-tracking', `change tracking is on for ${database}`),
  ];
}

function versionFinding({ version, engineEdition, edition }: Situation): Finding {
  const check = 'sqlserver/version';
  const what = `SQL Server ${version} (${edition})`;
  if (SYNAPSE_EDITIONS.has(engineEdition)) {
    return failed(
      check,
      new SqlServerServerError(`${what} is Azure Synapse, which has no change tracking`, {
        remedy: 'use SQL Server 2016 or newer, Azure SQL Database or Azure SQL Managed Instance',
      }),
    );
  }
  const major = Number.parseInt(version, 10);
  if (!AZURE_EDITIONS.has(engineEdition) && major < OLDEST_VERSION) {
    return failed(
      check,
      new SqlServerServerError(`${what} is older than SQL Server 2016 (version ${OLDEST_VERSION})`, {
        remedy: 'upgrade the server',
      }),
    );
  }
  return major > NEWEST_KNOWN
    ? warning(check, `${what} is newer than what is known`, 'look for a newer Isthmus')
    : fine(check, what);
}
