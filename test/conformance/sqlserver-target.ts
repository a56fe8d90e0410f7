/** SQL Server for the conformance suite: the simulator, or the server that ISTHMUS_TEST_SQLSERVER_URL names. */
import { quoteIdentifier } from '../../connectors/sqlserver/sql-text.ts';
import type { Position, SourceDialect } from '../../src/connector/dialect.ts';
import { dialectFor, prepareDatabase } from '../sqlserver/feed-harness.ts';
import { startTestSqlServer, type TestSqlServer } from '../support/sqlserver.ts';
import type { SqlValue, TestConnection } from '../support/sqlserver-connection.ts';
import type {
  Application,
  ConformanceTarget,
  PortableColumn,
  PortableForeignKey,
  PortableRow,
  PortableTable,
  PortableType,
  TestDatabase,
} from './target.ts';

const TYPES: Readonly<Record<PortableType, string>> = {
  int: 'int',
  bigint: 'bigint',
  text: 'nvarchar(max)',
  bool: 'bit',
  double: 'float',
  decimal: 'decimal(28, 10)',
  instant: 'datetime2(3)',
  bytes: 'varbinary(max)',
  uuid: 'uniqueidentifier',
  document: 'nvarchar(max)',
};
/** Text that keys are made of: an index takes 900 bytes. */
const KEY_TEXT = 'nvarchar(400)';

/** Deadlocks, conflicts of snapshots, violations of foreign keys and of unique keys. */
const RACES: ReadonlySet<unknown> = new Set([1205, 3960, 547, 2601, 2627]);

/** Constraints are always checked at once, there are no arrays, and the feed does not show a TRUNCATE. */
export const sqlServerTarget = (): ConformanceTarget => {
  let server: TestSqlServer | undefined;
  const running = (): TestSqlServer => {
    if (server === undefined) throw new Error('the target was not started');
    return server;
  };
  return {
    name: 'SQL Server',
    capabilities: new Set(['keyUpdates', 'documents', 'generatedKeys']),
    start: async () => {
      server = await startTestSqlServer();
    },
    open: async () => SqlServerTestDatabase.open(running(), await running().createDatabase()),
    stop: () => running().stop(),
  };
};

export class SqlServerTestDatabase implements TestDatabase {
  readonly schema = 'dbo';
  readonly #server: TestSqlServer;
  readonly #name: string;
  readonly #reader: TestConnection;
  /** Transactions at the same time have connections of their own, which are used again. */
  readonly #idle: TestConnection[] = [];

  private constructor(server: TestSqlServer, name: string, reader: TestConnection) {
    this.#server = server;
    this.#name = name;
    this.#reader = reader;
  }

  static async open(server: TestSqlServer, name: string): Promise<SqlServerTestDatabase> {
    await prepareDatabase(server, name);
    return new SqlServerTestDatabase(server, name, await server.connect(name));
  }

  dialect(adapterName: string): SourceDialect {
    return dialectFor(this.#server, this.#name, { adapterName });
  }

  async create(...tables: readonly PortableTable[]): Promise<void> {
    for (const table of tables) {
      await this.#reader.query(createTable(table));
      for (const column of table.columns) {
        if (column.unique) await this.#reader.query(uniqueIndex(table.name, column));
      }
    }
    for (const { name, foreignKeys = [] } of tables) {
      for (const key of foreignKeys) await this.#reader.query(addForeignKey(name, key));
    }
    for (const { name } of tables) {
      await this.#reader.query(`ALTER TABLE ${quoteIdentifier(name)} ENABLE CHANGE_TRACKING`);
    }
  }

  lostRace(error: unknown): boolean {
    return error instanceof Error && 'number' in error && RACES.has(error.number);
  }

  async transaction<T>(work: (application: Application) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#server.connect(this.#name));
    try {
      return await connection.transaction(() => work(applicationOn(connection)));
    } finally {
      this.#idle.push(connection);
    }
  }

  async rows(table: string, columns: readonly string[]): Promise<readonly (readonly (string | null)[])[]> {
    const names = columns.map(quoteIdentifier).join(', ');
    const found = await this.#reader.query(
      `SELECT ${names} FROM ${quoteIdentifier(table)} ORDER BY ${names}`,
    );
    return found.map((row) => columns.map((column) => row[column] ?? null));
  }

  async position(): Promise<Position> {
    const [row] = await this.#reader.query('SELECT CHANGE_TRACKING_CURRENT_VERSION() AS [version]');
    return (row?.version ?? '0') as Position;
  }

  async drop(): Promise<void> {
    for (const connection of [this.#reader, ...this.#idle]) await connection.close();
  }
}

function createTable({ name, columns, primaryKey, foreignKeys = [] }: PortableTable): string {
  const inKeys = new Set([...primaryKey, ...foreignKeys.flatMap((key) => key.columns)]);
  const parts = columns.map((column) => {
    const type =
      column.type === 'text' && (column.unique || inKeys.has(column.name)) ? KEY_TEXT : TYPES[column.type];
    const generated = column.generated ? ' IDENTITY(1, 1)' : '';
    return `${quoteIdentifier(column.name)} ${type}${generated} ${isRequired(column, primaryKey) ? 'NOT NULL' : 'NULL'}`;
  });
  parts.push(`PRIMARY KEY (${primaryKey.map(quoteIdentifier).join(', ')})`);
  return `CREATE TABLE ${quoteIdentifier(name)} (${parts.join(', ')})`;
}

const isRequired = (column: PortableColumn, primaryKey: readonly string[]): boolean =>
  column.nullable === false || primaryKey.includes(column.name);

/** A unique constraint would let only one row be without a value. */
function uniqueIndex(table: string, { name }: PortableColumn): string {
  const [quotedTable, column] = [quoteIdentifier(table), quoteIdentifier(name)];
  const index = quoteIdentifier(`unique_${table}_${name}`);
  return `CREATE UNIQUE INDEX ${index} ON ${quotedTable} (${column}) WHERE ${column} IS NOT NULL`;
}

function addForeignKey(table: string, key: PortableForeignKey): string {
  const own = key.columns.map(quoteIdentifier).join(', ');
  const other = key.referencedColumns.map(quoteIdentifier).join(', ');
  const onDelete =
    key.onDelete === undefined ? '' : ` ON DELETE ${key.onDelete === 'cascade' ? 'CASCADE' : 'SET NULL'}`;
  return `ALTER TABLE ${quoteIdentifier(table)} ADD FOREIGN KEY (${own}) REFERENCES ${quoteIdentifier(key.references)} (${other})${onDelete}`;
}

function applicationOn(connection: TestConnection): Application {
  const where = (key: PortableRow, offset: number): string => {
    const names = Object.keys(key);
    if (names.length === 0) return '';
    return ` WHERE ${names.map((name, index) => `${quoteIdentifier(name)} = @p${offset + index + 1}`).join(' AND ')}`;
  };
  const values = (row: PortableRow): SqlValue[] => Object.values(row);
  return {
    insert: async (table, ...rows) => {
      for (const row of rows) {
        const names = Object.keys(row);
        const places = names.map((_, index) => `@p${index + 1}`);
        await connection.query(
          `INSERT INTO ${quoteIdentifier(table)} (${names.map(quoteIdentifier).join(', ')}) VALUES (${places.join(', ')})`,
          values(row),
        );
      }
    },
    update: async (table, key, changes) => {
      const sets = Object.keys(changes).map((name, index) => `${quoteIdentifier(name)} = @p${index + 1}`);
      return connection.affected(
        `UPDATE ${quoteIdentifier(table)} SET ${sets.join(', ')}${where(key, sets.length)}`,
        [...values(changes), ...values(key)],
      );
    },
    remove: (table, key) =>
      connection.affected(`DELETE FROM ${quoteIdentifier(table)}${where(key, 0)}`, values(key)),
    truncate: async (table) => {
      await connection.query(`TRUNCATE TABLE ${quoteIdentifier(table)}`);
    },
  };
}
