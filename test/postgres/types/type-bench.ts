/**
 * Columns of many types on a real server, filled with generated values: what the change feed and the snapshot say of
 * them, and what becomes of values that our writer writes.
 */
import type { PostgresDialect } from '../../../connectors/postgres/postgres-dialect.ts';
import type {
  ColumnInfo,
  SqlText,
  SqlWriter,
  StateCodec,
  TableInfo,
} from '../../../src/connector/dialect.ts';
import type { ClassDefinition, ColumnDefinition } from '../../../src/schema/definition.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';
import { dialectFor, FeedReader } from '../feed-harness.ts';

export type TypeCase = {
  /** Name of the tables. */
  readonly name: string;
  /** As written in DDL. */
  readonly type: string;
  /** Texts in the server's input form. */
  readonly inputs: readonly SqlText[];
};

/** Sends a column's values and brings them back. */
export class TypeBench {
  readonly server: TestPostgres;
  readonly database: string;
  readonly dialect: PostgresDialect;
  readonly #writer: SqlWriter;
  #sequence = 0;

  private constructor(server: TestPostgres, database: string, dialect: PostgresDialect, writer: SqlWriter) {
    this.server = server;
    this.database = database;
    this.dialect = dialect;
    this.#writer = writer;
  }

  static async open(setup: string): Promise<TypeBench> {
    const server = await startTestPostgres();
    const database = await server.createDatabase();
    await server.query(database, setup);
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

  /** Two tables for each case: `<name>` with the inputs in order, and an empty `<name>_copy`. */
  async makeTables(cases: readonly TypeCase[]): Promise<void> {
    const statements = cases.flatMap(({ name, type }) => [
      `CREATE TABLE "${name}" (id int PRIMARY KEY, c ${type})`,
      `CREATE TABLE "${name}_copy" (id int PRIMARY KEY, c ${type})`,
    ]);
    await this.server.query(this.database, statements.join('; '));
  }

  /** The texts of all cases as the snapshot and the feed show them, by name and in the order of the inputs. */
  async deliver(
    cases: readonly TypeCase[],
  ): Promise<{ snapshot: Map<string, SqlText[]>; feed: Map<string, SqlText[]> }> {
    const catalog = await this.dialect.catalog();
    const tables = cases
      .map(({ name }) => catalog.get(`public.${name}`))
      .filter((table) => table !== undefined);
    await (await this.dialect.prepareFeed(tables, { reset: false })).snapshot?.close();
    const reader = await FeedReader.open(this.dialect);
    const feed = new Map<string, SqlText[]>();
    try {
      for (const { name, type, inputs } of cases) await this.#insert(name, type, inputs);
      await reader.until(() => reader.commits().length >= cases.length);
    } finally {
      await reader.close();
    }
    for (const event of reader.events) {
      if (event.kind !== 'change' || event.change.kind !== 'insert') continue;
      const { table, row } = event.change;
      const texts = feed.get(table.table.name) ?? [];
      texts.push(row[1] as SqlText);
      feed.set(table.table.name, texts);
    }
    const snapshot = new Map<string, SqlText[]>();
    for (const table of tables) snapshot.set(table.table.name, await this.read(table));
    return { snapshot, feed };
  }

  async #insert(name: string, type: string, inputs: readonly SqlText[]): Promise<void> {
    const text = `INSERT INTO "${name}" SELECT n, t::${type} FROM unnest($1::text[]) WITH ORDINALITY u (t, n)`;
    try {
      await this.server.query(this.database, text, [inputs]);
    } catch (cause) {
      throw new Error(`the values for ${name} are not valid: ${String(cause)}`, { cause });
    }
  }

  async table(name: string): Promise<TableInfo> {
    const table = (await this.dialect.catalog()).get(`public.${name}`);
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

  /** How many rows of the copy differ from the original; `expression` makes comparable what has no equality. */
  async differences(name: string, expression: (value: string) => string): Promise<readonly unknown[]> {
    return this.server.query(
      this.database,
      `SELECT s.c::text AS original, t.c::text AS copy FROM "${name}" s JOIN "${name}_copy" t USING (id)
       WHERE ${expression('s.c')} IS DISTINCT FROM ${expression('t.c')} LIMIT 3`,
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
