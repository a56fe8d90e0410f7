/**
 * Writes realm transactions into the tables. Every SQL transaction begins with the checkpoint that it moves, so that
 * the feed knows it for ours from its first change on (DESIGN §1.4, §4).
 */

import {
  addListChange,
  type ListChanges,
  type ListStatement,
} from '../../../src/connector/apply/list-changes.ts';
import { type LookUpKeys, resolvedLists } from '../../../src/connector/apply/resolved-keys.ts';
import type { ConnectedWriter } from '../../../src/connector/apply/retrying-writer.ts';
import { type RowRun, rowRuns } from '../../../src/connector/apply/row-runs.ts';
import { StatementRecorder } from '../../../src/connector/apply/statement-recorder.ts';
import {
  partsOf,
  type RowPlace,
  type SetStatement,
  type Unit,
  unitsOf,
} from '../../../src/connector/apply/statement-units.ts';
import type { BoundRows, Concealment } from '../../../src/connector/concealment.ts';
import type { NewLetter } from '../../../src/connector/dead-letters/contract.ts';
import { letterValues } from '../../../src/connector/dead-letters/letter-rows.ts';
import {
  type ApplyStatement,
  type Checkpoint,
  type Rehearsal,
  type SqlText,
  type TableInfo,
  tableId,
} from '../../../src/connector/dialect.ts';
import { ApplyError } from '../../../src/connector/errors.ts';
import { INSERT_LETTER } from '../dead-letter-rows.ts';
import { isServerError, PostgresApplyError, PostgresError } from '../errors.ts';
import { CHECKPOINT_TABLE } from '../own-tables.ts';
import type { Session } from '../session.ts';
import { sqlStateOf } from '../sql-state.ts';
import { quoteLiteral, quoteTable } from '../sql-text.ts';
import { lookUpKeys } from './key-lookups.ts';
import { clearText, differenceTexts, type PreparedText, readText, stepTexts } from './list-statements.ts';
import { columnArrays, deleteAllText, MAX_ROWS_PER_STATEMENT, textOf } from './set-statements.ts';

const CHECKPOINT = quoteTable(CHECKPOINT_TABLE);

export class PostgresWriter implements ConnectedWriter {
  readonly #session: Session;
  readonly #adapterName: string;
  /** By table id, whether the key of a list table is checked late enough to move rows in place. */
  readonly #deferrable = new Map<string, boolean>();
  /** Takes down what is sent while a rehearsal runs. */
  #recorder: StatementRecorder | undefined;

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
      for (const unit of unitsOf(statements)) await this.#runUnit(unit);
    });
  }

  async rehearse(statements: readonly ApplyStatement[]): Promise<Rehearsal> {
    const recorder = new StatementRecorder();
    this.#recorder = recorder;
    try {
      await this.#session.script('BEGIN; SET CONSTRAINTS ALL DEFERRED');
      return { failed: await this.#runRowByRow(statements, recorder), statements: recorder.statements };
    } catch (cause) {
      throw cause instanceof ApplyError ? cause : applyError('rehearsing', undefined, cause);
    } finally {
      this.#recorder = undefined;
      await this.#session.script('ROLLBACK').catch(() => {}); // only fails when the connection, and so the transaction, is gone
    }
  }

  async #runRowByRow(
    statements: readonly ApplyStatement[],
    recorder: StatementRecorder,
  ): Promise<Rehearsal['failed']> {
    let current: RowPlace | undefined;
    try {
      for (const whole of unitsOf(statements)) {
        for (const { unit, place } of partsOf(whole)) {
          current = place;
          await this.#runUnit(unit);
        }
      }
      current = undefined;
      await this.#session.script('SET CONSTRAINTS ALL IMMEDIATE');
      return undefined;
    } catch (cause) {
      if (cause instanceof ApplyError && cause.errorClass === 'transient') throw cause;
      const { last } = recorder;
      if (current === undefined || last === undefined) return undefined;
      return { table: current.table.table, key: current.key, statement: last };
    }
  }

  async deadLetter(checkpoint: Checkpoint, letter: NewLetter): Promise<void> {
    await this.#transaction([checkpoint], async () => {
      await this.#run(INSERT_LETTER, letterValues(this.#adapterName, letter, null), 'keeping a dead letter');
    });
  }

  get broken(): boolean {
    return this.#session.broken;
  }

  async isCommitted(checkpoints: readonly Checkpoint[]): Promise<boolean> {
    const session = this.#session;
    try {
      await session.query('BEGIN');
      let committed = true;
      for (const { realmPath, sequence } of checkpoints) {
        const row = [this.#adapterName, realmPath];
        await session.query(`INSERT INTO ${CHECKPOINT} VALUES ($1, $2, -1) ON CONFLICT DO NOTHING`, row);
        const [stored] = await session.query(
          `SELECT sequence FROM ${CHECKPOINT} WHERE adapter = $1 AND realm = $2 FOR UPDATE`,
          row,
        );
        committed &&= Number(stored?.[0] ?? -1) >= sequence;
      }
      await session.query('ROLLBACK');
      return committed;
    } catch (cause) {
      throw applyError('asking for the checkpoint', undefined, cause);
    }
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

  async #runUnit(unit: Unit): Promise<void> {
    if ('lists' in unit) await this.#runLists(unit.lists);
    else await this.#runSet(unit.set);
  }

  async #runSet(given: SetStatement): Promise<void> {
    if (given.kind === 'deleteAll') {
      await this.#run(deleteAllText(given.table), [], 'emptying the table', { table: given.table, rows: [] });
      return;
    }
    for (const run of await rowRuns(given, this.#lookUp)) await this.#runRows(run);
  }

  async #runRows(run: RowRun): Promise<void> {
    const { table, rows, doing } = run;
    const columns = [...run.keyColumns, ...run.columns];
    const text = textOf(run);
    for (let start = 0; start < rows.length; start += MAX_ROWS_PER_STATEMENT) {
      const chunk =
        start === 0 && rows.length <= MAX_ROWS_PER_STATEMENT
          ? rows
          : rows.slice(start, start + MAX_ROWS_PER_STATEMENT);
      await this.#run(text, columnArrays(chunk, columns.length), doing, { table, columns, rows: chunk });
    }
  }

  async #runLists(statements: readonly ListStatement[]): Promise<void> {
    if (statements.length === 0) return;
    const lists = new Map<string, ListChanges>();
    for (const statement of await resolvedLists(statements, this.#lookUp)) addListChange(lists, statement);
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
      const { rows } = await this.#session.prepared(text, values, { table: changes.table, rows: [values] });
      return rows.map(([index, target]) => ({ index: Number(index), target: target ?? null }));
    } catch (cause) {
      const bound = { table: changes.table, rows: [values] };
      throw applyError('reading list items', bound, cause, this.#session.concealment);
    }
  }

  async #runListTexts(texts: readonly PreparedText[], table: TableInfo): Promise<void> {
    for (const { text, values } of texts) {
      await this.#run(text, values, 'changing list items', { table, rows: [values] });
    }
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

  readonly #lookUp: LookUpKeys = (lookup, keys) => lookUpKeys(lookup, keys, this.#ask);

  readonly #ask = async (
    text: string,
    values: readonly unknown[],
    table: TableInfo,
  ): Promise<readonly (readonly SqlText[])[]> => {
    const bound = { table, rows: [] };
    try {
      return (await this.#session.prepared(text, values, bound)).rows;
    } catch (cause) {
      throw applyError('looking keys up', bound, cause, this.#session.concealment);
    }
  };

  async #run(text: string, values: readonly SqlText[], doing: string, bound?: BoundRows): Promise<void> {
    const { concealment } = this.#session;
    this.#recorder?.record({ sql: text, values: concealment.shown(values, bound) });
    try {
      await this.#session.prepared(text, values, bound);
    } catch (cause) {
      throw applyError(doing, bound, cause, concealment);
    }
  }
}

/** What went wrong while `doing`, as the engine sorts it. */
export function applyError(
  doing: string,
  bound: BoundRows | undefined,
  cause: unknown,
  concealment?: Concealment,
): ApplyError {
  if (cause instanceof PostgresError) {
    return new ApplyError(cause.message, { errorClass: cause.errorClass, cause });
  }
  const where = bound === undefined ? '' : ` of ${tableId(bound.table.table)}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  const detail = isServerError(cause) && cause.detail !== undefined ? ` (${cause.detail})` : '';
  if (bound === undefined || concealment === undefined || !concealment.concerns(bound)) {
    return new PostgresApplyError(`${doing}${where} failed: ${message}${detail}`, cause);
  }
  const reason = concealment.withoutSecrets(`${message}${detail}`, sqlStateOf(cause), bound);
  return new PostgresApplyError(`${doing}${where} failed: ${reason}`, cause, true);
}
