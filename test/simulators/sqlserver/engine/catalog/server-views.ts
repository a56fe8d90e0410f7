/** sys.databases, change_tracking_databases, and the few of the server's own views that are known. */
import { SqlFailure } from '../../contract.ts';
import type { Session } from '../session/session.ts';
import type { Database } from '../storage/database.ts';
import { catalogView } from './view-definition.ts';

/**
 * Everybody sees the names of databases, through VIEW ANY DATABASE of public; in Azure SQL Database only the one he is
 * connected to (and `master`).
 */
function databases(session: Session): Database[] {
  const all = [...session.instance.databases.values()];
  if (!session.instance.faults.azure) return all;
  return all.filter((one) => one === session.currentDatabase || one.name === 'master');
}

/** In sys.databases of Azure SQL Database: unique on the server, where DB_ID() is unique in an elastic pool. */
const AZURE_NUMBERS = 1_000;

/** Owners see that a database is tracked, and who has VIEW ANY DATABASE; that of public is for boxed servers. */
function seesTracking(session: Session, database: Database): boolean {
  const { access, instance } = session;
  if (access.isOwner(database)) return true;
  return !instance.faults.azure && access.hasOnServer('VIEW ANY DATABASE');
}

function requireServerState(session: Session): void {
  if (session.access.hasOnServer('VIEW SERVER STATE')) return;
  throw new SqlFailure(
    300,
    `VIEW SERVER STATE permission was denied on object 'server', database 'master'.`,
    { severity: 14 },
  );
}

export const serverViews = {
  databases: catalogView(
    'name name, database_id int, dbid int, source_database_id int, owner_sid binary, create_date datetime, compatibility_level tinyint, collation_name name, user_access tinyint, user_access_desc words, is_read_only bit, is_auto_close_on bit, is_auto_shrink_on bit, state tinyint, state_desc words, is_in_standby bit, snapshot_isolation_state tinyint, snapshot_isolation_state_desc words, is_read_committed_snapshot_on bit, recovery_model tinyint, recovery_model_desc words, is_ansi_nulls_on bit, is_quoted_identifier_on bit, is_trustworthy_on bit, is_encrypted bit, group_database_id uniqueidentifier',
    (session) =>
      databases(session).map((one) => ({
        name: one.name,
        database_id: one.id + (session.instance.faults.azure ? AZURE_NUMBERS : 0),
        dbid: one.id,
        owner_sid: session.instance.logins.get(one.owner)?.sid,
        create_date: one.createDate,
        compatibility_level: one.compatibilityLevel,
        collation_name: one.collation,
        user_access: { multiUser: 0, singleUser: 1, restrictedUser: 2 }[one.access],
        user_access_desc: {
          multiUser: 'MULTI_USER',
          singleUser: 'SINGLE_USER',
          restrictedUser: 'RESTRICTED_USER',
        }[one.access],
        is_read_only: one.readOnly,
        is_auto_close_on: one.options.get('AUTO_CLOSE') ?? false,
        is_auto_shrink_on: one.options.get('AUTO_SHRINK') ?? false,
        state: one.state === 'online' ? 0 : 6,
        state_desc: one.state.toUpperCase(),
        is_in_standby: false,
        snapshot_isolation_state: one.snapshotIsolation ? 1 : 0,
        snapshot_isolation_state_desc: one.snapshotIsolation ? 'ON' : 'OFF',
        is_read_committed_snapshot_on: one.readCommittedSnapshot,
        recovery_model: { full: 1, bulkLogged: 2, simple: 3 }[one.recovery],
        recovery_model_desc: { full: 'FULL', bulkLogged: 'BULK_LOGGED', simple: 'SIMPLE' }[one.recovery],
        is_ansi_nulls_on: one.options.get('ANSI_NULLS') ?? false,
        is_quoted_identifier_on: one.options.get('QUOTED_IDENTIFIER') ?? false,
        is_trustworthy_on: one.options.get('TRUSTWORTHY') ?? false,
        is_encrypted: false,
      })),
  ),
  change_tracking_databases: catalogView(
    'database_id int, is_auto_cleanup_on tinyint, retention_period int, retention_period_units tinyint, retention_period_units_desc words, max_cleanup_version bigint',
    (session) =>
      databases(session).flatMap((one) => {
        const { id, tracking } = one;
        return tracking && seesTracking(session, one)
          ? [
              {
                database_id: id,
                is_auto_cleanup_on: tracking.autoCleanup ? 1 : 0,
                retention_period: tracking.retention.period,
                retention_period_units: { minutes: 1, hours: 2, days: 3 }[tracking.retention.unit],
                retention_period_units_desc: tracking.retention.unit.toUpperCase(),
                max_cleanup_version: tracking.cleanupVersion,
              },
            ]
          : [];
      }),
  ),
  dm_tran_commit_table: catalogView(
    'commit_ts bigint, xdes_id bigint, commit_time datetime',
    (session, database) => {
      requireServerState(session);
      return (database.tracking?.commits ?? []).map((one) => ({
        commit_ts: one.version,
        xdes_id: one.commit,
        commit_time: new Date(one.time),
      }));
    },
  ),
  dm_exec_sessions: catalogView(
    'session_id smallint, login_name name, host_name name, program_name name, database_id smallint, is_user_process bit, open_transaction_count int',
    (session) =>
      [...session.instance.sessions.values()]
        .filter((one) => one.id === session.id || session.access.hasOnServer('VIEW SERVER STATE'))
        .map((one) => ({
          session_id: one.id,
          login_name: one.login.name,
          host_name: one.host,
          program_name: one.program,
          database_id: one.currentDatabase.id,
          is_user_process: true,
          open_transaction_count: one.transaction ? 1 : 0,
        })),
  ),
};
