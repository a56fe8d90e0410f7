/**
 * Writes realm transactions into the tables. Every SQL transaction begins with the checkpoint that it moves (DESIGN
 * §1.4, §4), and every statement leaves its context for the feed. An error ends the whole transaction (XACT_ABORT).
 */
import {
  addListChange,
  type ListChanges,
  type ListRow,
  type ListStatement,
} from '../../../src/connector/apply/list-changes.ts';
import { keysOf, type LookUpKeys, resolvedLists } from '../../../src/connector/apply/resolved-keys.ts';
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
import type { BoundRows } from '../../../src/connector/concealment.ts';
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
import type { ApplyError } from '../../../src/connector/errors.ts';
import { encodeContext } from '../change-context.ts';
import { textReader } from '../column-text.ts';
import { INSERT_LETTER, letterParameters } from '../dead-letter-rows.ts';
import { numberOf } from '../error-numbers.ts';
import { changeContext, longText, type SqlParameter, shortText } from '../parameters.ts';
import type { Session, TextRow } from '../session.ts';
import { applyError } from './apply-error.ts';
import { HOLD_CHECKPOINT, MOVE_CHECKPOINTS, READ_CHECKPOINTS } from './checkpoint-statements.ts';
import { columnAtFault } from './column-at-fault.ts';
import { type AskRows, lookUpKeys } from './key-lookups.ts';
import {
  addDifference,
  addStep,
  type ListWork,
  listRuns,
  needsReading,
  noWork,
  readText,
} from './list-statements.ts';
import { chunksOf, columnOf, rowsJson } from './row-source.ts';
import {
  bracketsIdentity,
  deleteAllText,
  identityOffText,
  refersToItself,
  textOf,
} from './set-statements.ts';

/** A statement that failed; what is to be said of it is found out after its transaction was rolled back. */
type Refused = { readonly doing: string; readonly bound: BoundRows | undefined; readonly cause: unknown };

/** Of the rows of one statement, so many are shown. */
const MOST_SHOWN_ROWS = 20;

export class SqlServerWriter implements ConnectedWriter {
  readonly #session: Session;
  readonly #adapterName: string;
  /** What the statements of the transaction leave in SYS_CHANGE_CONTEXT. */
  #context: SqlParameter;
  /** Takes down what is sent while a rehearsal runs. */
  #recorder: StatementRecorder | undefined;
  /** The table for which a statement under way lets us give keys that the database makes. */
  #identityOf: TableInfo | undefined;
  #refused: Refused | undefined;
  /** The answer to a COMMIT did not come, though the connection may still be there. */
  #isCommitLost = false;

  /** Takes the session over and closes it. */
  constructor(session: Session, adapterName: string) {
    this.#session = session;
    this.#adapterName = adapterName;
    this.#context = this.#contextOf([]);
  }

  get broken(): boolean {
    return this.#session.broken || this.#isCommitLost;
  }

  async checkpoints(): Promise<ReadonlyMap<string, number>> {
    try {
      const rows = await this.#session.query(READ_CHECKPOINTS, [shortText('adapter', this.#adapterName)]);
      return new Map(rows.map(([realm, sequence]) => [realm ?? '', Number(sequence)]));
    } catch (cause) {
      throw applyError('reading the checkpoints', undefined, cause);
    }
  }

  async isCommitted(checkpoints: readonly Checkpoint[]): Promise<boolean> {
    const session = this.#session;
    try {
      await session.begin();
      let committed = true;
      for (const { realmPath, sequence } of checkpoints) {
        const [stored] = await session.query(HOLD_CHECKPOINT, [
          shortText('adapter', this.#adapterName),
          shortText('realm', realmPath),
        ]);
        committed &&= Number(stored?.[0] ?? -1) >= sequence;
      }
      return committed;
    } catch (cause) {
      throw applyError('asking for the checkpoint', undefined, cause);
    } finally {
      await session.rollback();
    }
  }

  async apply(statements: readonly ApplyStatement[], checkpoints: readonly Checkpoint[]): Promise<void> {
    await this.#transaction(checkpoints, async () => {
      for (const unit of unitsOf(statements)) await this.#runUnit(unit);
    });
  }

  async deadLetter(checkpoint: Checkpoint, letter: NewLetter): Promise<void> {
    await this.#transaction([checkpoint], async () => {
      const parameters = letterParameters(letterValues(this.#adapterName, letter, null));
      await this.#send(INSERT_LETTER, parameters, 'keeping a dead letter', undefined);
    });
  }

  /**
   * As sets up to what is refused, and that row by row: rows that may refer to one another only within a statement are
   * not blamed for those before them.
   */
  async rehearse(statements: readonly ApplyStatement[]): Promise<Rehearsal> {
    const units = unitsOf(statements);
    let done = 0;
    const whole = await this.#rehearsal(async () => {
      for (const unit of units) {
        await this.#runUnit(unit);
        done += 1;
      }
    });
    if (!whole.refused) return { statements: whole.statements, failed: undefined };
    let current: RowPlace | undefined;
    const parts = await this.#rehearsal(async () => {
      for (const unit of units.slice(0, done)) await this.#runUnit(unit);
      const refused = units[done];
      if (refused === undefined) return;
      for (const { unit, place } of partsOf(refused)) {
        current = place;
        await this.#runUnit(unit);
      }
      current = undefined;
    });
    const statement = parts.statements.at(-1);
    if (!parts.refused || current === undefined || statement === undefined) {
      return { statements: whole.statements, failed: undefined };
    }
    return {
      statements: parts.statements,
      failed: { table: current.table.table, key: current.key, statement },
    };
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  async #rehearsal(
    run: () => Promise<void>,
  ): Promise<{ readonly refused: boolean; readonly statements: Rehearsal['statements'] }> {
    const recorder = new StatementRecorder();
    this.#recorder = recorder;
    this.#context = this.#contextOf([]);
    try {
      await this.#session.begin();
      await run();
      return { refused: false, statements: recorder.statements };
    } catch (cause) {
      const error = applyError('rehearsing', undefined, cause);
      if (error.errorClass === 'transient') throw error;
      return { refused: true, statements: recorder.statements };
    } finally {
      this.#recorder = undefined;
      await this.#rollBack();
    }
  }

  async #transaction(checkpoints: readonly Checkpoint[], write: () => Promise<void>): Promise<void> {
    this.#context = this.#contextOf(checkpoints);
    this.#refused = undefined;
    try {
      await this.#session.begin();
      await this.#moveCheckpoints(checkpoints);
      await write();
    } catch (cause) {
      await this.#rollBack();
      throw this.#refused === undefined
        ? applyError('writing', undefined, cause)
        : await this.#explained(this.#refused);
    }
    try {
      await this.#session.commit();
    } catch (cause) {
      this.#isCommitLost = numberOf(cause) === undefined;
      await this.#rollBack();
      throw applyError('committing', undefined, cause);
    }
  }

  /** Also of what a failed statement left to the session. */
  async #rollBack(): Promise<void> {
    await this.#session.rollback();
    const table = this.#identityOf;
    this.#identityOf = undefined;
    if (table === undefined || this.broken) return;
    await this.#session.batch(identityOffText(table)).catch(() => {}); // it is off, or the next statement says why not
  }

  /** Names the column as well, where the server does not. */
  async #explained({ doing, bound, cause }: Refused): Promise<ApplyError> {
    const { concealment } = this.#session;
    const column = await columnAtFault(numberOf(cause), bound, async (text, rows) => {
      if (this.broken) return false;
      try {
        await this.#session.query(text, [longText('rows', rowsJson(rows))], boundOption(bound));
        return false;
      } catch {
        return true;
      }
    });
    return applyError(doing, bound, cause, concealment, column);
  }

  async #moveCheckpoints(checkpoints: readonly Checkpoint[]): Promise<void> {
    if (checkpoints.length === 0) return;
    const rows = checkpoints.map(({ realmPath, sequence }) => [realmPath, String(sequence)]);
    await this.#session.query(MOVE_CHECKPOINTS, [
      shortText('adapter', this.#adapterName),
      longText('rows', rowsJson(rows)),
    ]);
  }

  async #runUnit(unit: Unit): Promise<void> {
    if ('lists' in unit) await this.#runLists(unit.lists);
    else await this.#runSet(unit.set);
  }

  async #runSet(given: SetStatement): Promise<void> {
    if (given.kind === 'deleteAll') {
      const bound = { table: given.table, rows: [] };
      await this.#send(deleteAllText(given.table), [this.#context], 'emptying the table', bound);
      return;
    }
    for (const { kind, table, keyColumns, columns, rows, doing } of await rowRuns(given, this.#lookUp)) {
      // Rows that refer to one another can only go together.
      const chunks = kind === 'delete' && refersToItself(table) ? [rows] : chunksOf(rows);
      const text = textOf(kind, table, keyColumns, columns);
      await this.#runRows(text, chunks, { table, columns: [...keyColumns, ...columns], doing });
    }
    await this.#tellNumbers(given);
  }

  /** What a rehearsal inserts is taken back. */
  async #tellNumbers(given: SetStatement): Promise<void> {
    if (given.kind !== 'upsert' || given.numbers === undefined || this.#recorder !== undefined) return;
    const { lookup, tell } = given.numbers;
    tell(await this.#lookUp(lookup, keysOf(given.rows, 0)));
  }

  async #runLists(statements: readonly ListStatement[]): Promise<void> {
    const lists = new Map<string, ListChanges>();
    for (const statement of await resolvedLists(statements, this.#lookUp)) addListChange(lists, statement);
    const byTable = Map.groupBy(lists.values(), ({ table }) => tableId(table.table));
    for (const changes of byTable.values()) {
      const table = changes[0]?.table;
      if (table === undefined) continue;
      const doing = 'changing list items';
      for (const { text, columns, rows } of listRuns(table, await this.#workOn(table, changes))) {
        await this.#runRows(text, chunksOf(rows), { table, columns, doing });
      }
    }
  }

  async #workOn(table: TableInfo, changes: readonly ListChanges[]): Promise<ListWork> {
    const work = noWork();
    const read = changes.filter((each) => !each.cleared && needsReading(each));
    const present = await this.#readLists(table, read);
    for (const each of changes) {
      if (each.cleared) work.cleared.push([each.oid]);
      if (each.cleared || needsReading(each)) addDifference(work, each, present.get(each.oid) ?? []);
      else addStep(work, each);
    }
    return work;
  }

  async #readLists(
    table: TableInfo,
    changes: readonly ListChanges[],
  ): Promise<ReadonlyMap<string, ListRow[]>> {
    const lists = new Map<string, ListRow[]>();
    const read = textReader(columnOf(table, 'target'));
    for (const rows of chunksOf(changes.map(({ oid }) => [oid]))) {
      for (const [oid, index, target] of await this.#ask(readText(table), rows, table)) {
        const items = lists.get(oid ?? '') ?? [];
        lists.set(oid ?? '', items);
        items.push({ index: Number(index), target: read(target) });
      }
    }
    for (const items of lists.values()) items.sort((a, b) => a.index - b.index);
    return lists;
  }

  readonly #lookUp: LookUpKeys = (lookup, keys) => lookUpKeys(lookup, keys, this.#ask);

  readonly #ask: AskRows = async (text, rows, table): Promise<readonly TextRow[]> => {
    const bound = { table, rows: [] };
    try {
      return await this.#session.query(text, [longText('rows', rowsJson(rows))], { bound });
    } catch (cause) {
      throw applyError('looking rows up', bound, cause, this.#session.concealment);
    }
  };

  async #runRows(
    text: string,
    chunks: Iterable<readonly (readonly SqlText[])[]>,
    { table, columns, doing }: Pick<RowRun, 'table' | 'columns' | 'doing'>,
  ): Promise<void> {
    if (bracketsIdentity(text)) this.#identityOf = table;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      const parameters = [this.#context, longText('rows', rowsJson(chunk))];
      await this.#send(text, parameters, doing, { table, columns, rows: chunk });
    }
    this.#identityOf = undefined;
  }

  async #send(
    text: string,
    parameters: readonly SqlParameter[],
    doing: string,
    bound: BoundRows | undefined,
  ): Promise<void> {
    this.#recorder?.record({ sql: text, values: this.#shown(bound) });
    try {
      await this.#session.query(text, parameters, boundOption(bound));
    } catch (cause) {
      this.#refused = { doing, bound, cause };
      throw applyError(doing, bound, cause, this.#session.concealment);
    }
  }

  /** The cells of a single row, or the rows as they are sent. */
  #shown(bound: BoundRows | undefined): (string | null)[] {
    if (bound === undefined) return [];
    const { concealment } = this.#session;
    const rows = bound.rows.slice(0, MOST_SHOWN_ROWS).map((row) => concealment.shown(row, bound));
    if (rows.length < 2) return rows[0] ?? [];
    const more = bound.rows.length > rows.length ? ` and ${bound.rows.length - rows.length} more` : '';
    return [`${JSON.stringify(rows)}${more}`];
  }

  #contextOf(checkpoints: readonly Checkpoint[]): SqlParameter {
    const [only] = checkpoints;
    const { realmPath, sequence } =
      only === undefined || checkpoints.length > 1 ? { realmPath: '', sequence: 0 } : only;
    return changeContext('context', encodeContext({ adapterName: this.#adapterName, realmPath, sequence }));
  }
}

function boundOption(bound: BoundRows | undefined): { readonly bound?: BoundRows } {
  return bound === undefined ? {} : { bound };
}
