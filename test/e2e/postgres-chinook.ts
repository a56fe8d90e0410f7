/** Chinook on a PostgreSQL server, for the convergence suite. */
import pg from 'pg';
import { mapRealmClassName, mapRealmPropertyName } from '../../models/chinook-mapping.ts';
import { embedded, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import {
  type ChinookConnection,
  type ChinookDatabase,
  type ChinookTarget,
  type Outcome,
  REALM,
} from './chinook-database.ts';
import { deployChinook } from './chinook-deployment.ts';
import { postgresTables } from './postgres-tables.ts';
import { type Naming, statementOf } from './row-change-sql.ts';

const NAMING: Naming = {
  table: mapRealmClassName,
  column: mapRealmPropertyName,
  parameter: (place) => `$${place}`,
};
/** Every transaction of the adapter moves its checkpoint, whose row it locks: their order is that of the commits. */
const RECORD_CHECKPOINTS = `CREATE TABLE checkpoint_log (id bigserial, sequence bigint);
CREATE FUNCTION log_checkpoint() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO checkpoint_log (sequence) VALUES (NEW.sequence); RETURN NEW; END $$;
CREATE TRIGGER log AFTER INSERT OR UPDATE ON isthmus.checkpoint FOR EACH ROW
  WHEN (NEW.realm = '${REALM}') EXECUTE FUNCTION log_checkpoint()`;

export const postgresChinook: ChinookTarget = {
  name: 'PostgreSQL',
  crashesAt: embedded ? [450] : [],
  start: async (directory) => {
    const postgres = await startTestPostgres();
    // A change that the database refuses would be a fault of the test or of ours: it must stop the adapter, not hide.
    const { deployment, database } = await deployChinook(postgres, directory, 'ignoreSQLerrors: false');
    const started: ChinookDatabase = {
      deployment,
      connect: () => connect(postgres, database),
      crash: () => postgres.crashAndRestart(),
      recordCheckpoints: async () => {
        await postgres.query(database, RECORD_CHECKPOINTS);
      },
      recordedCheckpoints: async () => {
        const rows = await postgres.query(database, 'SELECT sequence FROM checkpoint_log ORDER BY id');
        return rows.map(({ sequence }) => Number(sequence));
      },
      stop: () => postgres.stop(),
    };
    return started;
  },
};

async function connect(postgres: TestPostgres, database: string): Promise<ChinookConnection> {
  const client = new pg.Client({ connectionString: postgres.url(database) });
  client.on('error', () => {}); // the server is killed in the middle
  await client.connect();
  const number = async (sql: string): Promise<number> => {
    const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' });
    return Number(rows[0]?.[0]);
  };
  return {
    tables: postgresTables(client),
    apply: async (changes) => {
      try {
        await client.query('BEGIN');
        for (const change of changes) {
          const { text, values } = statementOf(change, NAMING);
          // The columns have no time zone, and the driver would send that of this machine.
          const sent = values.map((value) => (value instanceof Date ? value.toISOString() : value));
          await client.query(text, sent);
        }
        await client.query('COMMIT');
        return 'committed';
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {}); // the connection may be what failed
        return outcomeOf(error);
      }
    },
    checkpoint: () => number(`SELECT sequence FROM isthmus.checkpoint WHERE realm = '${REALM}'`),
    deadLetters: () => number('SELECT count(*) FROM isthmus.dead_letter'),
    close: () => client.end().catch(() => {}),
  };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof pg.DatabaseError && (error.code?.startsWith('23') || error.code === '40P01'))
    return 'refused';
  const text = error instanceof Error ? error.message : '';
  if (/terminat|closed|ECONN|not queryable|shutting down|recovery|starting up/i.test(text)) return 'lost';
  throw error;
}
