/**
 * Columns of many types on a server, filled with generated values: what the change feed and the snapshot say of them, and
 * what becomes of values that our writer writes.
 */
import type { SqlServerDialect } from '../../../connectors/sqlserver/sqlserver-dialect.ts';
import type {
  Catalog,
  ColumnInfo,
  SqlText,
  SqlWriter,
  StateCodec,
  TableInfo,
} from '../../../src/connector/dialect.ts';
import type { ClassDefinition, ColumnDefinition } from '../../../src/schema/definition.ts';
import { FeedReader } from '../../support/feed-reader.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';
import { dialectFor, prepareDatabase } from '../feed-harness.ts';

export type TypeCase = {
  /** Name of the tables. */
  readonly name: string;
  /** As written in DDL. */
  readonly type: string;
  /** Texts that `value` makes values of. */
  readonly inputs: readonly SqlText[];
  /** SQL that makes a value of `$`, the text of an input. */
  readonly value: string;
};

/** Sends a column's values and brings them back. */
export class TypeBench {
  readonly server: TestSqlServer;
  readonly database: string;
  readonly dialect: SqlServerDialect;
  readonly #writer: SqlWriter;
  #sequence = 0;
  #catalog: Catalog | undefined;

  private constructor(server: TestSqlServer, database: string, dialect: SqlServerDialect, writer: SqlWriter) {
    this.server = server;
    this.database = database;
    this.dialect = dialect;
    this.#writer = writer;
  }

  static async open(): Promise<TypeBench> {
    const server = await startTestSqlServer();
    const database = await server.createDatabase();
    await prepareDatabase(server, database);
    const dialect = dialectFor(server, database);
    await dialect.prepare({ createDatabase: false });
    return new TypeBench(server, database, dialect, await dialect.openWriter());
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.dialect.dropFeed();
    await this.dialect.close();
    await this.server.stop();
  }

  /** Two tables for each case: `<name>` for the inputs, and an empty `<name>_copy`. */
  async makeTables(cases: readonly Pick<TypeCase, 'name' | 'type'>[]): Promise<void> {
    this.#catalog = undefined;
    for (const { name, type } of cases) {
      for (const table of [name, `${name}_copy`]) {
        await this.server.query(
          this.database,
          `CREATE TABLE [${table}] ([id] int NOT NULL PRIMARY KEY, [c] ${type} NULL);
           ALTER TABLE [${table}] ENABLE CHANGE_TRACKING`,
        );
      }
    }
  }

  /** The texts of all cases as the snapshot and the feed show them, by name and in the order of the inputs. */
  async deliver(
    cases: readonly TypeCase[],
  ): Promise<{ snapshot: Map<string, SqlText[]>; feed: Map<string, SqlText[]> }> {
    const catalog = await this.dialect.catalog();
    const tables = cases.map(({ name }) => catalog.get(`dbo.${name}`)).filter((table) => table !== undefined);
    const { snapshot: first, start } = await this.dialect.prepareFeed(tables, { reset: false });
    await first?.close();
    for (const each of cases) await this.#insert(each);
    const reader = await FeedReader.open(this.dialect, start);
    const wanted = cases.reduce((sum, { inputs }) => sum + inputs.length, 0);
    const changes = () => reader.events.flatMap((event) => (event.kind === 'change' ? [event.change] : []));
    try {
      await reader.until(() => changes().length >= wanted);
    } finally {
      await reader.close();
    }
    const feed = new Map<string, SqlText[]>();
    for (const change of changes()) {
      if (change.kind !== 'insert' && change.kind !== 'update') continue;
      const { table, columns } = change.table;
      const texts = feed.get(table.name) ?? [];
      const id = Number(change.row[columns.indexOf('id')]);
      texts[id - 1] = change.row[columns.indexOf('c')] as SqlText;
      feed.set(table.name, texts);
    }
    const snapshot = new Map<string, SqlText[]>();
    for (const table of tables) snapshot.set(table.table.name, await this.read(table));
    return { snapshot, feed };
  }

  async #insert({ name, inputs, value }: TypeCase): Promise<void> {
    const rows = JSON.stringify(inputs.map((text, index) => [String(index + 1), text]));
    const text =
      `INSERT INTO [${name}] ([id], [c]) SELECT CONVERT(int, s.k), ${value.replaceAll('$', 's.v')} ` +
      `FROM OPENJSON(N'${rows.replaceAll("'", "''")}') WITH (k nvarchar(20) '$[0]', v nvarchar(max) '$[1]') AS s`;
    try {
      await this.server.query(this.database, text);
    } catch (cause) {
      throw new Error(`the values for ${name} are not valid: ${String(cause)}`, { cause });
    }
  }

  async table(name: string): Promise<TableInfo> {
    this.#catalog ??= await this.dialect.catalog();
    const table = this.#catalog.get(`dbo.${name}`);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  }

  /** The texts of column `c`, in the order of the key. */
  async read(table: TableInfo): Promise<SqlText[]> {
    const snapshot = await this.dialect.openSnapshot();
    const texts: SqlText[] = [];
    try {
      for await (const batch of snapshot.rows(table, ['id', 'c'], undefined))
        for (const row of batch) texts.push(row[1] ?? null);
    } finally {
      await snapshot.close();
    }
    return texts;
  }

  /** Writes rows by our writer, in place of whatever the table held. */
  async write(table: TableInfo, rows: readonly (readonly [id: number, text: SqlText])[]): Promise<void> {
    this.#sequence += 1;
    await this.#writer.apply(
      [
        { kind: 'deleteAll', table },
        {
          kind: 'upsert',
          table,
          keyColumns: ['id'],
          columns: ['c'],
          rows: rows.map(([id, text]) => [String(id), text]),
        },
      ],
      [{ realmPath: '/types', sequence: this.#sequence }],
    );
  }

  /** Changes rows that are there. */
  async update(table: TableInfo, rows: readonly (readonly [id: number, text: SqlText])[]): Promise<void> {
    this.#sequence += 1;
    await this.#writer.apply(
      [
        {
          kind: 'update',
          table,
          keyColumns: ['id'],
          columns: ['c'],
          rows: rows.map(([id, text]) => [String(id), text]),
        },
      ],
      [{ realmPath: '/types', sequence: this.#sequence }],
    );
  }

  /** Keys of rows of the copy that differ from the original; `compared` makes comparable what has no equality. */
  async differences(name: string, compared: string): Promise<readonly unknown[]> {
    const [a, b] = ['s.[c]', 't.[c]'].map((value) => compared.replaceAll('$', value));
    return this.server.query(
      this.database,
      `SELECT TOP (3) t.[id] FROM [${name}] AS s INNER JOIN [${name}_copy] AS t ON t.[id] = s.[id] ` +
        `WHERE NOT (${a} = ${b}) OR t.[c] IS NULL`,
    );
  }

  /** The codec that the connector uses for a property on column `c`. */
  codec(
    table: TableInfo,
    property: ColumnDefinition,
    definitions: ReadonlyMap<string, ClassDefinition>,
  ): StateCodec {
    const column = columnC(table);
    const scalar = property.collection === 'single' && property.type !== 'mixed' && property.type !== 'link';
    if (!scalar) return this.dialect.stateCodec(column, property, definitions);
    const codec = this.dialect.codec(column, property);
    return { toRealm: codec.toRealm, toSql: (value) => codec.toSql(value as never) };
  }
}

export function columnC(table: TableInfo): ColumnInfo {
  const column = table.columns.find(({ name }) => name === 'c');
  if (column === undefined) throw new Error('no column c');
  return column;
}
