/**
 * Examines everything that a PostgreSQL connector stands on, without changing anything. What cannot be examined because
 * something before it failed is left out; nothing else is.
 */
import { tableId } from '../../../src/connector/dialect.ts';
import { clockFinding } from '../../../src/connector/doctor/clock-findings.ts';
import { attempt, type Examined } from '../../../src/connector/doctor/examination.ts';
import {
  feedWithoutReplica,
  hasReplica,
  localFindings,
} from '../../../src/connector/doctor/local-findings.ts';
import { examineModels } from '../../../src/connector/doctor/model-findings.ts';
import { objectServerFindings } from '../../../src/connector/doctor/object-server-findings.ts';
import { otherRelations } from '../../../src/connector/doctor/other-relations.ts';
import { plannedFindings } from '../../../src/connector/doctor/planned-findings.ts';
import { waitingLetters } from '../../../src/connector/doctor/waiting-letters.ts';
import { type Finding, fine, problem, warning } from '../../../src/connector/finding.ts';
import type { Mapping } from '../../../src/connector/mapping/class-mapping.ts';
import { logInUser } from '../../../src/connector/runtime/connector-parts.ts';
import { readCatalog } from '../catalog.ts';
import { INVALID_CATALOG_NAME } from '../connection-error.ts';

import { missingStatements } from '../ddl.ts';
import { PostgresServerError } from '../errors.ts';
import { failoverFindings } from '../feed/failover.ts';
import { DEFAULT_WARN_BYTES, PUBLICATION, SLOT_STATE, slotHealth } from '../feed/slot-health.ts';
import type { PostgresConnectorOptions } from '../options.ts';
import { OWN_SCHEMA, OWN_TABLES_EXIST } from '../own-tables.ts';
import { createPostgresDialect, type PostgresDialect } from '../postgres-dialect.ts';
import { Session } from '../session.ts';
import { clockOffset, serverFindings, settingFindings, tlsFinding } from './server-findings.ts';
import { otherRelation, tableFindings } from './table-findings.ts';

/** What is examined, one subject after the other. */
export async function* examinePostgres(
  options: PostgresConnectorOptions,
  signal: AbortSignal,
): AsyncGenerator<Examined, void, undefined> {
  const { engine } = options;
  yield { subject: 'this machine', findings: await attempt('local', () => localFindings(engine.localPath)) };
  const dialect = createPostgresDialect(options);
  try {
    yield* examineDatabase(options, dialect, signal);
  } finally {
    await dialect.close();
  }
  const findings = await objectServerFindings(engine, () => logInUser(engine), signal);
  yield { subject: 'the object server', findings };
}

async function* examineDatabase(
  options: PostgresConnectorOptions,
  dialect: PostgresDialect,
  signal: AbortSignal,
): AsyncGenerator<Examined, void, undefined> {
  const { engine, connection } = options;
  let session: Session | undefined;
  const connected = await attempt('postgres/connection', async () => {
    session = await openSession(options);
    if (session === undefined)
      return [
        warning(
          'postgres/connection',
          `the database ${connection.database} does not exist; the start makes it (createPostgresDB)`,
        ),
      ];
    return [
      fine(
        'postgres/connection',
        `connected to ${connection.database} at ${session.client.host}:${session.client.port}`,
      ),
      await tlsFinding(session, session.client.host),
    ];
  });
  yield { subject: 'the connection', findings: connected };
  if (session === undefined) return;
  const open = session;
  try {
    yield {
      subject: 'the database server',
      findings: [
        ...(await attempt('postgres/server', () => serverFindings(open, dialect.feedName))),
        ...(await attempt('postgres/settings', () => settingFindings(open))),
        ...(await attempt('clock/database', () => databaseClock(open))),
        ...(await attempt('postgres/own-tables', () => ownTableFindings(open))),
      ],
    };
    let mapping: Mapping | undefined;
    const models = await attempt('models', async () => {
      const catalog = await readCatalog(open, options.schema, options.customTypes);
      const examined = examineModels(engine, dialect, catalog, options.schema);
      mapping = examined.mapping;
      return [
        ...examined.findings,
        ...(await otherRelations(engine, options.schema, catalog, examined.definitions, (name) =>
          otherRelation(open, options.schema, name),
        )),
        ...plannedFindings(
          engine,
          { schema: options.schema, dialect, catalog, definitions: examined.definitions },
          (wanted) => missingStatements(wanted, catalog),
        ),
      ];
    });
    yield { subject: 'the models', findings: models };
    const tables: Finding[] = [];
    for (const mapped of mapping?.order ?? []) {
      if (signal.aborted) return;
      tables.push(
        ...(await attempt('tables', () => tableFindings(open, mapped, engine.mapping.optionNames))),
      );
    }
    yield { subject: 'the tables', findings: tables };
    const followed = (mapping?.order ?? []).map(({ table }) => tableId(table.table));
    yield {
      subject: 'the change feed',
      findings: [
        ...(await attempt('postgres/slot', () => feedFindings(open, options, dialect.feedName, followed))),
        ...(options.feed?.failover === true
          ? await attempt('postgres/failover', () => failoverFindings(open))
          : []),
        ...(await attempt('postgres/dead-letters', () => deadLetterFindings(open, engine.adapterName))),
      ],
    };
  } finally {
    await open.close();
  }
}

/** Undefined when the database is yet to be made. */
async function openSession({ connection, engine }: PostgresConnectorOptions): Promise<Session | undefined> {
  const { logger, printCommands, adapterName } = engine;
  try {
    return await Session.open({ connection, logger, printCommands, adapterName }, { name: 'isthmus doctor' });
  } catch (error) {
    const missing = error instanceof PostgresServerError && error.sqlState === INVALID_CATALOG_NAME;
    if (missing && engine.createDatabase) return undefined;
    throw error;
  }
}

async function databaseClock(session: Session): Promise<readonly Finding[]> {
  const { offset, uncertainty } = await clockOffset(session);
  return [clockFinding('database server', offset, uncertainty)];
}

async function ownTableFindings(session: Session): Promise<readonly Finding[]> {
  const check = 'postgres/own-tables';
  const [exists] = await session.query(OWN_TABLES_EXIST).catch(() => []);
  if (exists?.[0] === 't') {
    const [row] = await session.query(
      `SELECT current_user, string_agg(c.oid::regclass::text, ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = '${OWN_SCHEMA}' AND c.relkind = 'r'
         AND NOT has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')`,
    );
    const [user, lacking] = row ?? [];
    if (lacking == null) return [fine(check, `the schema ${OWN_SCHEMA} has the connector’s own tables`)];
    return [
      problem(
        check,
        `the user ${user} may not write the connector’s own tables ${lacking}`,
        `run GRANT ALL ON ALL TABLES IN SCHEMA ${OWN_SCHEMA} TO "${user}"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${OWN_SCHEMA} TO "${user}"`,
      ),
    ];
  }
  const [row] = await session.query(
    `SELECT has_database_privilege(current_database(), 'CREATE'), current_database(), current_user,
       coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = '${OWN_SCHEMA}'), false)`,
  );
  const [mayCreate, database, user, mayExtend] = row ?? [];
  if (mayCreate === 't' || mayExtend === 't')
    return [fine(check, `the schema ${OWN_SCHEMA} will be made or completed by the start`)];
  return [
    problem(
      check,
      `the user ${user} can neither use nor make the schema ${OWN_SCHEMA}`,
      `run GRANT CREATE ON DATABASE "${database}" TO "${user}", or CREATE SCHEMA ${OWN_SCHEMA} AUTHORIZATION "${user}"`,
    ),
  ];
}

async function feedFindings(
  session: Session,
  options: PostgresConnectorOptions,
  feedName: string,
  followed: readonly string[],
): Promise<readonly Finding[]> {
  const isReplicaHere = hasReplica(options.engine.localPath);
  const warnBytes = options.feed?.warnBytes ?? DEFAULT_WARN_BYTES;
  const { findings } = await slotHealth(session, feedName, followed, warnBytes);
  if (isReplicaHere) return findings;
  const missing = findings.every(({ check, level, error }) =>
    check === SLOT_STATE || check === PUBLICATION
      ? level === 'ok' || error?.code === 'postgres-feed-lost'
      : true,
  );
  const exists = findings.some(({ check, level }) => check === SLOT_STATE && level === 'ok');
  if (exists) {
    return [...findings, feedWithoutReplica(`the replication slot ${feedName}`)];
  }
  return missing
    ? [fine(SLOT_STATE, `the slot and publication ${feedName} will be made by the first load`)]
    : findings;
}

async function deadLetterFindings(session: Session, adapterName: string): Promise<readonly Finding[]> {
  const check = 'postgres/dead-letters';
  const [table] = await session.query(`SELECT to_regclass('${OWN_SCHEMA}.dead_letter') IS NOT NULL`);
  if (table?.[0] !== 't') return [];
  // Earlier versions knew no states: what was there waited.
  const [row] = await session.query(
    `SELECT count(*), to_char(min(d.created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
     FROM ${OWN_SCHEMA}.dead_letter d
     WHERE d.adapter = $1 AND coalesce(to_jsonb(d) ->> 'state', 'waiting') = 'waiting'`,
    [adapterName],
  );
  const [count, since] = row ?? [];
  return [waitingLetters(check, count, since)];
}
