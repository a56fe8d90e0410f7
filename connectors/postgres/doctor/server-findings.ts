/** What a PostgreSQL server must be set to, and what the user must be allowed, for a connector to work at all. */
import { type Finding, failed, fine, warning } from '../../../src/connector/finding.ts';
import { PostgresPrivilegeError, PostgresServerError } from '../errors.ts';
import type { Session } from '../session.ts';

/** Logical replication came with version 10. */
const OLDEST_VERSION = 100_000;
/** The versions that the tests run against. */
const OLDEST_SUPPORTED = 140_000;
const NEWEST_SUPPORTED = 189_999;

const SITUATION = `SELECT current_setting('server_version_num'), current_setting('server_version'), current_setting('wal_level'),
    current_setting('max_replication_slots'), current_setting('max_wal_senders'),
    (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> $1),
    (SELECT count(*) FROM pg_stat_replication r WHERE r.pid NOT IN
      (SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL)),
    pg_is_in_recovery(), current_user, r.rolreplication OR r.rolsuper
      OR EXISTS (SELECT FROM pg_roles m WHERE m.rolname IN ('rds_replication', 'rds_superuser', 'azure_pg_admin')
                 AND pg_has_role(current_user, m.oid, 'member'))
  FROM pg_roles r WHERE r.rolname = current_user`;

/** In the order in which they should be mended. The slot of that name counts as free, since it is ours. */
export async function serverFindings(session: Session, slotName: string): Promise<readonly Finding[]> {
  const [row] = await session.query(SITUATION, [slotName]);
  if (row === undefined) {
    return [
      failed('postgres/version', new PostgresServerError('the server does not know its own current user')),
    ];
  }
  const [
    versionNumber,
    version,
    walLevel,
    maxSlots,
    maxSenders,
    slots,
    senders,
    recovering,
    user,
    replicates,
  ] = row;
  return [
    versionFinding(Number(versionNumber), version ?? ''),
    recovering === 't'
      ? failed(
          'postgres/primary',
          new PostgresServerError('the server is a standby, which cannot be written to', {
            remedy: 'name the primary server in postgresConfig',
          }),
        )
      : fine('postgres/primary', 'the server is a primary'),
    walLevel === 'logical'
      ? fine('postgres/wal-level', 'wal_level is logical')
      : failed(
          'postgres/wal-level',
          new PostgresServerError(`wal_level of the server is ${walLevel}, not logical`, {
            remedy:
              'run ALTER SYSTEM SET wal_level = logical and restart the server (on a managed service, set it in its parameter group)',
          }),
        ),
    freeFinding('replication slots', 'max_replication_slots', Number(slots), Number(maxSlots)),
    freeFinding('WAL senders', 'max_wal_senders', Number(senders), Number(maxSenders)),
    replicates === 't'
      ? fine('postgres/replication-privilege', `the user ${user} may replicate`)
      : failed(
          'postgres/replication-privilege',
          new PostgresPrivilegeError(`the user ${user} has no REPLICATION privilege`, {
            remedy: `run ALTER ROLE "${user}" REPLICATION as a superuser (on Amazon RDS: GRANT rds_replication TO "${user}")`,
          }),
        ),
  ];
}

function versionFinding(number: number, version: string): Finding {
  const check = 'postgres/version';
  if (number < OLDEST_VERSION) {
    return failed(
      check,
      new PostgresServerError(`PostgreSQL ${version} has no logical replication`, {
        remedy: 'upgrade the server to version 10 or newer',
      }),
    );
  }
  if (number < OLDEST_SUPPORTED)
    return warning(
      check,
      `PostgreSQL ${version} is older than what is tested`,
      'upgrade to version 14 or newer',
    );
  if (number > NEWEST_SUPPORTED)
    return warning(check, `PostgreSQL ${version} is newer than what is tested`, 'look for a newer Isthmus');
  return fine(check, `PostgreSQL ${version}`);
}

function freeFinding(what: string, setting: string, used: number, limit: number): Finding {
  const check = `postgres/${setting.replaceAll('_', '-')}`;
  if (used < limit) return fine(check, `${limit - used} of ${limit} ${what} are free for the connector`);
  return failed(
    check,
    new PostgresServerError(`all ${limit} ${what} of the server are in use`, {
      remedy: `run ALTER SYSTEM SET ${setting} = ${limit + 10} and restart the server, or drop what is unused (SELECT * FROM pg_replication_slots)`,
    }),
  );
}

const SETTINGS = [
  'max_slot_wal_keep_size',
  'wal_sender_timeout',
  'idle_session_timeout',
  'idle_replication_slot_timeout',
  'synchronous_commit',
  'fsync',
] as const;

/** Settings that let a connector work, but badly. Values are in the unit of `pg_settings`; absent ones are of later versions. */
export async function settingFindings(session: Session): Promise<readonly Finding[]> {
  const rows = await session.query('SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])', [
    [...SETTINGS],
  ]);
  const settings = new Map(rows.map(([name, setting]) => [name ?? '', setting ?? '']));
  const number = (name: (typeof SETTINGS)[number]): number => Number(settings.get(name) ?? 0);
  const findings: Finding[] = [];
  if (settings.get('max_slot_wal_keep_size') === '-1') {
    findings.push(
      warning(
        'postgres/max-slot-wal-keep-size',
        'max_slot_wal_keep_size sets no limit: while the adapter is away, the log it has not read can fill the disk and stop the server',
        'set it to what the disk can spare, such as ALTER SYSTEM SET max_slot_wal_keep_size = 20GB; a slot that is lost is repaired by isthmus load --resume',
      ),
    );
  } else if (settings.has('max_slot_wal_keep_size')) {
    findings.push(
      fine(
        'postgres/max-slot-wal-keep-size',
        `a slot may keep ${number('max_slot_wal_keep_size')} MB of log`,
      ),
    );
  }
  findings.push(
    number('wal_sender_timeout') === 0
      ? warning(
          'postgres/wal-sender-timeout',
          'wal_sender_timeout is off: the slot of an adapter that died without a word stays held',
          'ALTER SYSTEM SET wal_sender_timeout = 60s',
        )
      : fine(
          'postgres/wal-sender-timeout',
          `a dead adapter is noticed after ${number('wal_sender_timeout') / 1000} s`,
        ),
  );
  if (number('idle_session_timeout') > 0) {
    findings.push(
      warning(
        'postgres/idle-session-timeout',
        'idle_session_timeout ends connections of the connector that wait for work; it connects again each time',
        'ALTER ROLE … SET idle_session_timeout = 0 for the user of postgresConfig',
      ),
    );
  }
  if (settings.get('fsync') === 'off') {
    findings.push(
      warning(
        'postgres/fsync',
        'fsync is off: a crash of the machine loses changes that the realms already hold',
        'ALTER SYSTEM SET fsync = on',
      ),
    );
  }
  return findings;
}

/** Whether the connection is encrypted; without it passwords and rows are to be read on the way. */
export async function tlsFinding(session: Session, host: string): Promise<Finding> {
  const check = 'postgres/tls';
  const [row] = await session.query(
    'SELECT ssl, version, cipher, inet_client_addr() IS NULL OR inet_client_addr() = inet_server_addr() FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  const [encrypted, version, cipher, local] = row ?? [];
  if (encrypted === 't') return fine(check, `the connection is encrypted (${version}, ${cipher})`);
  if (local === 't') return fine(check, 'the connection is not encrypted, and stays on this machine');
  return warning(
    check,
    `the connection to ${host} is not encrypted`,
    'set postgresConfig.ssl: true, or { ca: … } for a certificate of your own',
  );
}

/** How far the server's clock is ahead of ours, and how well that is known, in milliseconds. */
export async function clockOffset(session: Session): Promise<{ offset: number; uncertainty: number }> {
  const asked = Date.now();
  const [row] = await session.query('SELECT extract(epoch FROM clock_timestamp()) * 1000');
  const answered = Date.now();
  return { offset: Number(row?.[0]) - (asked + answered) / 2, uncertainty: (answered - asked) / 2 };
}
