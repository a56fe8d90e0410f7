/** A table as the feed reads it: the statements that ask for its changes, and what becomes of their rows. */
import type { ColumnInfo, TableInfo } from '../../../src/connector/dialect.ts';
import { MappingError } from '../../../src/connector/errors.ts';
import { WRITER_BYTES } from '../change-context.ts';
import { readExpression, type TextReader, textReader } from '../column-text.ts';
import { quoteIdentifier, quoteTable } from '../sql-text.ts';
import type { FollowedLayout, NetChange } from './regroup.ts';

/** Operation, version, creation version, last writer: what comes before key and columns. */
const LEADING = 4;

/** Where a change takes its place; `placeOf` (regroup.ts) says the same. */
const PLACE =
  "CASE WHEN c.[SYS_CHANGE_OPERATION] = N'I' AND c.[SYS_CHANGE_CREATION_VERSION] < c.[SYS_CHANGE_VERSION] " +
  'THEN c.[SYS_CHANGE_CREATION_VERSION] ELSE c.[SYS_CHANGE_VERSION] END';

/** Of the context that the last writer of a row left, as far as it names an adapter. */
const WRITER = `CONVERT(varchar(${2 * WRITER_BYTES}), SUBSTRING(c.[SYS_CHANGE_CONTEXT], 1, ${WRITER_BYTES}), 2)`;

export class FollowedTable {
  readonly info: TableInfo;
  readonly layout: FollowedLayout;
  readonly quotedName: string;
  /**
   * Changes after `@since` whose place is not beyond `@upTo`, each with its row as it is now. The text stays the same for
   * as long as the table does.
   */
  readonly changesText: string;
  readonly #keyReaders: readonly TextReader[];
  readonly #readers: readonly TextReader[];
  readonly #writer: string | undefined;

  /** `writer` is what tells rows that were written last by this adapter (`writerText`). */
  constructor(info: TableInfo, writer?: string) {
    const columns = info.columns.filter(isReadable);
    const key = info.primaryKey.map((name) => columnNamed(info, name));
    this.info = info;
    this.quotedName = quoteTable(info.table);
    this.layout = {
      table: { table: info.table, columns: columns.map(({ name }) => name) },
      keyPlaces: key.map((column) => columns.indexOf(column)),
    };
    this.changesText =
      `SELECT c.[SYS_CHANGE_OPERATION], CONVERT(varchar(20), c.[SYS_CHANGE_VERSION]), ` +
      `CONVERT(varchar(20), c.[SYS_CHANGE_CREATION_VERSION]), ${WRITER}, ` +
      `${[...key.map((column) => readExpression(column, 'c')), ...columns.map((column) => readExpression(column, 't'))].join(', ')} ` +
      `FROM CHANGETABLE(CHANGES ${this.quotedName}, @since) AS c LEFT JOIN ${this.quotedName} AS t ` +
      `ON ${key.map(({ name }) => `t.${quoteIdentifier(name)} = c.${quoteIdentifier(name)}`).join(' AND ')} ` +
      `WHERE ${PLACE} <= @upTo;`;
    this.#writer = writer;
    this.#keyReaders = key.map(textReader);
    this.#readers = columns.map(textReader);
  }

  /**
   * How many changes there are, counted up to the limit, and the places of the first and last of those; one row, led by
   * `place` in the list of tables.
   */
  backlogText(place: number): string {
    return (
      `SELECT ${place}, CONVERT(varchar(20), COUNT_BIG(*)), CONVERT(varchar(20), MIN(b.[at])), CONVERT(varchar(20), MAX(b.[at])) ` +
      `FROM (SELECT TOP (@limit) ${PLACE} AS [at] FROM CHANGETABLE(CHANGES ${this.quotedName}, @since${place}) AS c ORDER BY [at]) AS b`
    );
  }

  /** A row of {@link changesText}. */
  read(values: readonly unknown[]): NetChange {
    const keyEnd = LEADING + this.#keyReaders.length;
    const key = this.#keyReaders.map((reader, part) => reader(values[LEADING + part]));
    const row = this.#readers.map((reader, place) => reader(values[keyEnd + place]));
    const isThere = this.layout.keyPlaces.every((place) => row[place] !== null);
    return {
      layout: this.layout,
      operation: String(values[0]).trim(),
      version: BigInt(String(values[1])),
      creation: values[2] === null || values[2] === undefined ? undefined : BigInt(String(values[2])),
      key,
      row: isThere ? row : undefined,
      isOwn: values[LEADING - 1] === this.#writer,
    };
  }
}

/** Columns of types that no text holds are never mapped, and need not come. */
function isReadable(column: ColumnInfo): boolean {
  if (column.unfed === true) return false;
  try {
    readExpression(column, 't');
    return true;
  } catch (error) {
    if (error instanceof MappingError) return false;
    throw error;
  }
}

function columnNamed({ table, columns }: TableInfo, name: string): ColumnInfo {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) throw new RangeError(`the key of ${table.name} has no column ${name}`);
  return column;
}
