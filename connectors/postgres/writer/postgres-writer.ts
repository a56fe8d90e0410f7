/**
 * Writes realm transactions into the tables. Every SQL transaction begins with the checkpoint that it moves, so that
 * the feed knows it for ours from its first change on (DESIGN §1.4, §4).
 */
import {
  type ApplyStatement,
  type Checkpoint,
  type SqlText,
  type SqlWriter,
  type TableInfo,
  tableId,
} from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { isServerError, PostgresApplyError, PostgresError } from '../errors.ts';
import { CHECKPOINT_TABLE, DEAD_LETTER_TABLE } from '../own-tables.ts';
import type { Session } from '../session.ts';
import { quoteLiteral, quoteTable } from '../sql-text.ts';
import { resolvedLists, resolvedStatement } from './key-lookups.ts';
import {
  addListChange,
  clearText,
  differenceTexts,
  isListStatement,
  type ListChanges,
  type ListStatement,
  type PreparedText,
  readText,
  stepTexts,
} from './list-statements.ts';
import {
  assignText,
  columnArrays,
  deleteAllText,
  deleteText,
  MAX_ROWS_PER_STATEMENT,
  updateText,
  upsertText,
} from './set-statements.ts';

const CHECKPOINT = quoteTable(CHECKPOINT_TABLE);
const DEAD_LETTER = quoteTable(DEAD_LETTER_TABLE);

export class PostgresWriter implements SqlWriter {
  readonly #session: Session;
  readonly #adapterName: string;
  /** By table id, whether the key of a list table is checked late enough to move rows in place. */
  readonly #deferrable = new Map<string, boolean>();

  /** Takes the session over and closes it. */
  constructor(session: Session, adapterName: string) {
    this.#session = session;
    this.#adapterName = adapterName;
  }

  async checkpoints(): Promise<ReadonlyMap<string, number>> {
    try {
      const rows = await this.#session.query(`SELECT realm, sequence FROM ${CHECKPOINT} WHERE adapter = $1`, [
        this.#adapterName,
      ]);
      return new Map(rows.map(([realm, sequence]) => [realm ?? '', Number(sequence)]));
    } catch (cause) {
      throw applyError('reading the checkpoints', undefined, cause);
    }
  }

  async apply(statements: readonly ApplyStatement[], checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#transaction(checkpoints, async () => {
      let lists: ListStatement[] = [];
      for (const statement of statements) {
        if (isListStatement(statement)) {
          lists.push(statement);
          continue;
        }
        await this.#runLists(lists);
        lists = [];
        await this.#runSet(statement);
      }
      await this.#runLists(lists);
    });
  }

  async deadLetter(checkpoint: Checkpoint, payload: string, reason: string): Promise<void> {
    await this.#transaction([checkpoint], async () => {
      await this.#run(
        `INSERT INTO ${DEAD_LETTER} (adapter, realm, sequence, reason, payload) VALUES ($1, $2, $3, $4, $5)`,
        // PostgreSQL takes no NUL, and a payload is kept because something about it was unusual.
        [
          this.#adapterName,
          checkpoint.realmPath,
          String(checkpoint.sequence),
          withoutNul(reason),
          withoutNul(payload),
        ],
        'keeping a dead letter',
      );
    });
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #transaction(checkpoints: readonly Checkpoint[], write: () => Promise<void>): Promise<void> {
    try {
      await this.#session.script(`BEGIN; ${this.#moveCheckpoints(checkpoints)}SET CONSTRAINTS ALL DEFERRED`);
      await write();
      await this.#session.script('COMMIT');
    } catch (cause) {
      await this.#session.script('ROLLBACK').catch(() => {}); // only fails when the connection, and so the transaction, is gone
      throw cause instanceof ApplyError ? cause : applyError('committing', undefined, cause);
    }
  }

  #moveCheckpoints(checkpoints: readonly Checkpoint[]): string {
    if (checkpoints.length === 0) return '';
    const rows = checkpoints.map(
      ({ realmPath, sequence }) =>
        `(${quoteLiteral(this.#adapterName)}, ${quoteLiteral(realmPath)}, ${sequence})`,
    );
    return (
      `INSERT INTO ${CHECKPOINT} (adapter, realm, sequence) VALUES ${rows.join(', ')} ` +
      'ON CONFLICT (adapter, realm) DO UPDATE SET sequence = excluded.sequence; '
    );
  }

  async #runSet(given: Exclude<ApplyStatement, { oid: string }>): Promise<void> {
    if (given.kind === 'deleteAll') {
      await this.#run(deleteAllText(given.table), [], 'emptying the table', given.table);
      return;
    }
    const statement =
      given.kind === 'upsert' || given.kind === 'update' ? await resolvedStatement(given, this.#ask) : given;
    const { table, keyColumns, rows } = statement;
    const columns = statement.kind === 'delete' ? [] : statement.columns;
    if (statement.kind === 'update' && columns.length === 0) return;
    const text =
      statement.kind === 'delete'
        ? deleteText(table, keyColumns)
        : statement.kind === 'update'
          ? updateText(table, keyColumns, columns)
          : statement.kind === 'assign'
            ? assignText(table, keyColumns, columns)
            : upsertText(table, keyColumns, columns);
    const width = keyColumns.length + columns.length;
    for (let start = 0; start < rows.length; start += MAX_ROWS_PER_STATEMENT) {
      const chunk =
        start === 0 && rows.length <= MAX_ROWS_PER_STATEMENT
          ? rows
          : rows.slice(start, start + MAX_ROWS_PER_STATEMENT);
      await this.#run(text, columnArrays(chunk, width), DOING[statement.kind], table);
    }
  }

  async #runLists(statements: readonly ListStatement[]): Promise<void> {
    if (statements.length === 0) return;
    const lists = new Map<string, ListChanges>();
    for (const statement of await resolvedLists(statements, this.#ask)) addListChange(lists, statement);
    await this.#clearLists([...lists.values()].filter(({ cleared }) => cleared));
    for (const changes of lists.values()) {
      const [first, ...further] = changes.steps;
      if (first === undefined) continue;
      const texts =
        further.length === 0
          ? stepTexts(changes, first, await this.#isDeferrable(changes.table))
          : differenceTexts(changes, await this.#readList(changes));
      await this.#runListTexts(texts, changes.table);
    }
  }

  async #clearLists(cleared: readonly ListChanges[]): Promise<void> {
    const byTable = Map.groupBy(cleared, ({ table }) => tableId(table.table));
    for (const changes of byTable.values()) {
      const table = changes[0]?.table;
      if (table === undefined) continue;
      const oids = changes.map(({ oid }) => oid);
      await this.#runListTexts([clearText(table, oids)], table);
    }
  }

  async #readList(changes: ListChanges): Promise<{ index: number; target: SqlText }[]> {
    const { text, values } = readText(changes);
    try {
      const { rows } = await this.#session.prepared(text, values);
      return rows.map(([index, target]) => ({ index: Number(index), target: target ?? null }));
    } catch (cause) {
      throw applyError('reading list items', changes.table, cause);
    }
  }

  async #runListTexts(texts: readonly PreparedText[], table: TableInfo): Promise<void> {
    for (const { text, values } of texts) await this.#run(text, values, 'changing list items', table);
  }

  async #isDeferrable(table: TableInfo): Promise<boolean> {
    const id = tableId(table.table);
    const known = this.#deferrable.get(id);
    if (known !== undefined) return known;
    const [row] = await this.#session.query(
      `SELECT NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indimmediate
         AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.condeferrable))`,
      [quoteTable(table.table)],
    );
    const deferrable = row?.[0] === 't';
    this.#deferrable.set(id, deferrable);
    return deferrable;
  }

  readonly #ask = async (
    text: string,
    values: readonly unknown[],
    table: TableInfo,
  ): Promise<readonly (readonly SqlText[])[]> => {
    try {
      return (await this.#session.prepared(text, values)).rows;
    } catch (cause) {
      throw applyError('looking keys up', table, cause);
    }
  };

  async #run(text: string, values: readonly unknown[], doing: string, table?: TableInfo): Promise<void> {
    try {
      await this.#session.prepared(text, values);
    } catch (cause) {
      throw applyError(doing, table, cause);
    }
  }
}

const DOING = {
  upsert: 'writing rows',
  update: 'setting columns',
  assign: 'giving rows their keys',
  delete: 'deleting rows',
} as const;

/** What went wrong while `doing`, as the engine sorts it. */
export function applyError(doing: string, table: TableInfo | undefined, cause: unknown): ApplyError {
  if (cause instanceof PostgresError) {
    return new ApplyError(cause.message, { errorClass: cause.errorClass, cause });
  }
  const where = table === undefined ? '' : ` of ${tableId(table.table)}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const detail = isServerError(cause) && cause.detail !== undefined ? ` (${cause.detail})` : '';
  return new PostgresApplyError(`${doing}${where} failed: ${reason}${detail}`, cause);
}

/** `\u0000` in its JSON form, which is what a reader of a dead letter can use. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\\u0000');
}
