/** CREATE, ALTER and DROP DATABASE. */
import { SqlFailure } from '../../contract.ts';
import type { AlterDatabase, DatabaseChange, DataDefinition } from '../../sql/ast.ts';
import { DatabaseTracking } from '../change-tracking/database-tracking.ts';
import type { Run } from '../executor/environment.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import { changing } from './change.ts';

function refuseInTransaction(run: Run, what: string, line: number): void {
  if (run.transaction.implicit) return;
  throw new SqlFailure(226, `${what} statement not allowed within multi-statement transaction.`, { line });
}

export function createDatabase(
  statement: Extract<DataDefinition, { readonly kind: 'createDatabase' }>,
  run: Run,
): void {
  const { session } = run;
  const { name, line } = statement;
  refuseInTransaction(run, 'CREATE DATABASE', line);
  const master = session.instance.database('master')!;
  const { access } = session;
  if (
    !access.hasOnServer('CREATE ANY DATABASE') &&
    !(access.mayUse(master) && access.has('CREATE DATABASE', master))
  ) {
    throw new SqlFailure(262, `CREATE DATABASE permission denied in database 'master'.`, {
      severity: 14,
      line,
    });
  }
  if (session.instance.database(name)) {
    throw new SqlFailure(1801, `Database '${name}' already exists. Choose a different database name.`, {
      line,
      state: 3,
    });
  }
  const database = session.instance.addDatabase(name, session.login.name.toLowerCase());
  if (statement.collation) database.collation = statement.collation;
  changing(run, database, () => session.instance.databases.delete(name.toLowerCase()));
}

export function dropDatabase(run: Run, name: string, ifExists: boolean, line: number): void {
  const { session } = run;
  const database = session.instance.database(name);
  if (!database) {
    if (ifExists) return;
    throw new SqlFailure(
      3701,
      `Cannot drop the database '${name}', because it does not exist or you do not have permission.`,
      { severity: 11, line },
    );
  }
  refuseInTransaction(run, 'DROP DATABASE', line);
  if (database.id <= 4)
    throw new SqlFailure(3708, `Cannot drop the database '${name}' because it is a system database.`, {
      line,
    });
  if (!session.access.isOwner(database) && !session.access.hasOnServer('ALTER ANY DATABASE')) {
    throw new SqlFailure(
      3701,
      `Cannot drop the database '${name}', because it does not exist or you do not have permission.`,
      { severity: 11, line },
    );
  }
  if (session.instance.sessionsIn(database).length > 0) {
    throw new SqlFailure(3702, `Cannot drop database "${name}" because it is currently in use.`, {
      line,
      state: 3,
    });
  }
  session.instance.databases.delete(name.toLowerCase());
  changing(run, database, () => session.instance.databases.set(name.toLowerCase(), database));
}

/** Statements about a whole database are done at once and never undone. */
export function alterDatabase(statement: AlterDatabase, run: Run): void {
  const { session } = run;
  const { line } = statement;
  const database =
    statement.name === undefined ? session.currentDatabase : session.instance.database(statement.name);
  if (!database) {
    throw new SqlFailure(
      5011,
      `User does not have permission to alter database '${statement.name}', the database does not exist, or the database is not in a state that allows access checks.`,
      { severity: 14, line, state: 5 },
    );
  }
  refuseInTransaction(run, 'ALTER DATABASE', line);
  const { access } = session;
  if (
    !access.hasOnServer('ALTER ANY DATABASE') &&
    !(access.mayUse(database) && access.has('ALTER', database))
  ) {
    throw new SqlFailure(
      5011,
      `User does not have permission to alter database '${database.name}', the database does not exist, or the database is not in a state that allows access checks.`,
      { severity: 14, line, state: 5 },
    );
  }
  for (const change of statement.changes) applyChange(session, database, change, line);
  changing(run, database, () => {});
}

function applyChange(session: Session, database: Database, change: DatabaseChange, line: number): void {
  switch (change.kind) {
    case 'changeTracking':
      changeTracking(database, change, line);
      return;
    case 'option':
      setOption(session, database, change, line);
      return;
    case 'compatibilityLevel': {
      const levels = [100, 110, 120, 130, 140, 150, 160];
      if (!levels.includes(change.level)) {
        throw new SqlFailure(
          15048,
          `Valid values of the database compatibility level are ${levels.join(', ')}.`,
          { line },
        );
      }
      database.compatibilityLevel = change.level;
      return;
    }
    case 'state':
      if (change.state === 'online' || change.state === 'offline') database.state = change.state;
      else if (change.state === 'readOnly' || change.state === 'readWrite')
        database.readOnly = change.state === 'readOnly';
      else if (change.state === 'emergency')
        throw new SqlFailure(50900, 'SET EMERGENCY is not supported by the simulator.', { line });
      else database.access = change.state;
      return;
    case 'recovery':
      database.recovery = change.model;
      return;
    case 'collate':
      database.collation = change.collation;
      return;
    case 'modifyName': {
      session.instance.databases.delete(database.name.toLowerCase());
      database.name = change.name;
      session.instance.databases.set(change.name.toLowerCase(), database);
      return;
    }
  }
}

const plainOptions = new Set([
  'ANSI_NULLS',
  'ANSI_NULL_DEFAULT',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'ARITHABORT',
  'AUTO_CLOSE',
  'AUTO_SHRINK',
  'AUTO_CREATE_STATISTICS',
  'AUTO_UPDATE_STATISTICS',
  'AUTO_UPDATE_STATISTICS_ASYNC',
  'CONCAT_NULL_YIELDS_NULL',
  'CURSOR_CLOSE_ON_COMMIT',
  'DB_CHAINING',
  'NUMERIC_ROUNDABORT',
  'QUOTED_IDENTIFIER',
  'RECURSIVE_TRIGGERS',
  'TRUSTWORTHY',
]);

function setOption(
  session: Session,
  database: Database,
  change: Extract<DatabaseChange, { readonly kind: 'option' }>,
  line: number,
): void {
  if (change.name === 'ALLOW_SNAPSHOT_ISOLATION') database.snapshotIsolation = change.on;
  else if (change.name === 'READ_COMMITTED_SNAPSHOT') {
    const others = session.instance.sessionsIn(database).filter((one) => one !== session && one.transaction);
    if (others.length > 0)
      throw new SqlFailure(
        5070,
        `Database state cannot be changed while other users are using the database '${database.name}'`,
        { line, state: 2 },
      );
    database.readCommittedSnapshot = change.on;
  } else if (plainOptions.has(change.name)) database.options.set(change.name, change.on);
  else
    throw new SqlFailure(50900, `The database option ${change.name} is not supported by the simulator.`, {
      line,
    });
}

type TrackingChange = Extract<DatabaseChange, { readonly kind: 'changeTracking' }>;

function changeTracking(database: Database, change: TrackingChange, line: number): void {
  if (database.id <= 4) {
    throw new SqlFailure(
      5090,
      `Database '${database.name}' is a system database. Change tracking settings cannot be modified for system databases.`,
      { line },
    );
  }
  if (change.on === true) {
    if (database.tracking)
      throw new SqlFailure(5088, `Change tracking is already enabled for database '${database.name}'.`, {
        line,
      });
    const tracking = new DatabaseTracking();
    setTrackingOptions(tracking, change, line);
    database.tracking = tracking;
    return;
  }
  if (!database.tracking)
    throw new SqlFailure(
      5089,
      `Change tracking is disabled for database '${database.name}'. Change tracking must be enabled on a database to modify change tracking settings.`,
      { line },
    );
  if (change.on === undefined) {
    setTrackingOptions(database.tracking, change, line);
    return;
  }
  if ([...database.tables.values()].some((table) => table.tracking)) {
    throw new SqlFailure(
      22115,
      `Change tracking is enabled for one or more tables in database '${database.name}'. Disable change tracking on each table before disabling it for the database. Use the sys.change_tracking_tables catalog view to obtain a list of tables for which change tracking is enabled.`,
      { line },
    );
  }
  database.tracking = undefined;
}

function setTrackingOptions(tracking: DatabaseTracking, change: TrackingChange, line: number): void {
  if (change.retention) {
    const minutes = change.retention.period * { minutes: 1, hours: 60, days: 1440 }[change.retention.unit];
    if (minutes < 1 || minutes > 2147483647)
      throw new SqlFailure(5092, 'The value for change tracking option CHANGE_RETENTION is not valid.', {
        line,
      });
    tracking.retention = change.retention;
  }
  if (change.autoCleanup !== undefined) tracking.autoCleanup = change.autoCleanup;
}
