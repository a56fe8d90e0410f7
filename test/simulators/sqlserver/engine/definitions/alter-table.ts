/** ALTER TABLE. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { AlterTableAction, DataDefinition, TableConstraint } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { assigner } from '../executor/assigning.ts';
import { addConstraint } from '../executor/constraint-builder.ts';
import { newEnv, type Run } from '../executor/environment.ts';
import { nextIdentity } from '../executor/identity.ts';
import { verifyForeignKey } from '../executor/referential.ts';
import { duplicateKey } from '../executor/row-writer.ts';
import { buildColumn } from '../executor/table-builder.ts';
import { parseConditionText, parseExpressionText, rowScope } from '../executor/table-expressions.ts';
import type { Database } from '../storage/database.ts';
import type { Check, Column, ForeignKey, Index } from '../storage/definition.ts';
import type { Table } from '../storage/table.ts';
import { checkUnique } from '../storage/writing.ts';
import { alterColumn } from './alter-column.ts';
import { changing, tableToChange } from './change.ts';
import { dropColumn, dropConstraint } from './drop-parts.ts';
import { rewriteRows } from './rewriting.ts';
import { disableTracking, enableTracking } from './tracking.ts';

export function alterTable(
  statement: Extract<DataDefinition, { readonly kind: 'alterTable' }>,
  run: Run,
): void {
  const { action, line } = statement;
  const { database, table } = tableToChange(run, statement.name, line);
  switch (action.kind) {
    case 'add':
      add(run, database, table, action, line);
      return;
    case 'alterColumn':
      alterColumn(run, database, table, action, line);
      return;
    case 'drop':
      for (const item of action.items) {
        if (item.kind === 'column') dropColumn(run, database, table, item.name, item.ifExists, line);
        else dropConstraint(run, database, table, item.name, item.ifExists, line);
      }
      return;
    case 'checkConstraint':
      switchConstraints(run, database, table, action, line);
      return;
    case 'enableChangeTracking':
      enableTracking(run, database, table, action.trackColumns, line);
      return;
    case 'disableChangeTracking':
      disableTracking(run, database, table, line);
      return;
    case 'switch':
      if (table.tracking) {
        throw new SqlFailure(
          4900,
          `The ALTER TABLE SWITCH statement failed for table '${table.name}'. It is not possible to switch the partition of a table that has change tracking enabled. Disable change tracking before using ALTER TABLE SWITCH.`,
          { line },
        );
      }
      throw new SqlFailure(50900, 'ALTER TABLE … SWITCH is not supported by the simulator.', { line });
  }
}

type AddAction = Extract<AlterTableAction, { readonly kind: 'add' }>;

function add(run: Run, database: Database, table: Table, action: AddAction, line: number): void {
  const { session } = run;
  const added = action.columns.map((definition) => {
    const column = buildColumn(session, database, table, definition);
    table.columns.push(column);
    for (const constraint of definition.constraints) {
      if (constraint.body.kind === 'default') addConstraint(session, database, table, constraint, true);
    }
    return column;
  });
  if (added.length > 0) fillNewColumns(run, database, table, added, action.withValues, line);
  const constraints: TableConstraint[] = [
    ...action.columns.flatMap((one) => one.constraints.filter(({ body }) => body.kind !== 'default')),
    ...action.constraints,
  ];
  for (const constraint of constraints) {
    const before = constraint.body.kind === 'default' ? table.column(constraint.body.column) : undefined;
    const made = addConstraint(session, database, table, constraint, action.check);
    if (before)
      changing(
        run,
        database,
        () => {
          before.default = undefined;
        },
        table,
      );
    verifyRows(run, database, table, made, action.check);
  }
}

function verifyRows(
  run: Run,
  database: Database,
  table: Table,
  made: Index | ForeignKey | Check | Column,
  check: boolean,
): void {
  if ('unique' in made) verifyUnique(run, table, made);
  else if ('referencedTable' in made && check) verifyForeignKey(run, table, made);
  else if ('text' in made && check && !('slot' in made)) verifyCheck(run, database, table, made as Check);
}

/** 1505: the rows that are there have duplicates. */
export function verifyUnique(run: Run, table: Table, index: Index): void {
  if (!index.unique) return;
  try {
    checkUnique(run.transaction, only(table, index), table.rows.values(), (one, data) =>
      duplicateKey(run, table, one, data),
    );
  } catch (error) {
    if (!(error instanceof SqlFailure)) throw error;
    const values = /\((.*)\)\.$/s.exec(error.message)?.[1] ?? '';
    throw new SqlFailure(
      1505,
      `The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '${table.schema}.${table.name}' and the index name '${index.name}'. The duplicate key value is (${values}).`,
    );
  }
}

function only(table: Table, index: Index): Pick<Table, 'indexes' | 'hash'> {
  return { indexes: [index], hash: (one) => table.hash(one) };
}

function verifyCheck(run: Run, database: Database, table: Table, check: Check): void {
  const holds = compileCondition(parseConditionText(check.text), rowScope(run.session, table));
  const env = newEnv(run);
  for (const row of table.rows.values()) {
    if (!row.head.data) continue;
    env.rows = [row.head.data];
    if (holds(env) !== false) continue;
    throw new SqlFailure(
      547,
      `The ALTER TABLE statement conflicted with the CHECK constraint "${check.name}". The conflict occurred in database "${database.name}", table "${table.schema}.${table.name}".`,
      { state: 0 },
    );
  }
}

/** Rows that are there get the default, a computed or an identity value, or NULL where that is allowed (4901). */
function fillNewColumns(
  run: Run,
  database: Database,
  table: Table,
  added: readonly Column[],
  withValues: boolean,
  line: number,
): void {
  const scope = rowScope(run.session, table);
  const env = newEnv(run);
  const fills = added.flatMap((column) => {
    if (column.identity)
      return [
        (data: Datum[]) => {
          data[column.slot] = nextIdentity(run, column);
        },
      ];
    if (column.type.kind === 'rowversion')
      return [
        (data: Datum[]) => {
          data[column.slot] = nextRowVersion(database);
        },
      ];
    const text =
      column.computed?.text ??
      (column.default && (!column.nullable || withValues) ? column.default.text : undefined);
    if (text === undefined) {
      if (!column.nullable && table.rows.size > 0) throw notNullable(table, column, line);
      return [];
    }
    const compiled = compileExpression(parseExpressionText(text), scope);
    const assign = column.computed
      ? (value: Datum) =>
          value === null ? null : convertDatum(value, compiled.type, column.type, run.session.conversion)
      : assigner(run, table, column, compiled.type);
    return [
      (data: Datum[]) => {
        env.rows = [data];
        data[column.slot] = assign(compiled.evaluate(env));
      },
    ];
  });
  if (fills.length === 0) return;
  rewriteRows(run, database, table, (data) => {
    const made = [...data];
    while (made.length < table.nextSlot) made.push(null);
    for (const fill of fills) fill(made);
    return made;
  });
}

function nextRowVersion(database: Database): Uint8Array {
  database.rowVersion += 1n;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(database.rowVersion);
  return bytes;
}

function notNullable(table: Table, column: Column, line: number): SqlFailure {
  return new SqlFailure(
    4901,
    `ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, or the column being added is an identity or timestamp column, or alternatively if none of the previous conditions are satisfied the table must be empty to allow addition of this column. Column '${column.name}' cannot be added to non-empty table '${table.name}' because it does not satisfy these conditions.`,
    { line },
  );
}

function switchConstraints(
  run: Run,
  database: Database,
  table: Table,
  action: Extract<AlterTableAction, { readonly kind: 'checkConstraint' }>,
  line: number,
): void {
  const names = action.names?.map((name) => name.toLowerCase());
  const chosen = <One extends { readonly name: string }>(all: readonly One[]) =>
    all.filter((one) => !names || names.includes(one.name.toLowerCase()));
  const keys = chosen(table.foreignKeys);
  const checks = chosen(table.checks);
  if (names && keys.length + checks.length < names.length) {
    throw new SqlFailure(4917, `Constraint '${action.names![0]}' does not exist.`, { line, state: 0 });
  }
  for (const one of [...keys, ...checks]) {
    const before = one.disabled;
    one.disabled = !action.enabled;
    changing(
      run,
      database,
      () => {
        one.disabled = before;
      },
      table,
    );
  }
  for (const key of keys) {
    const before = key.trusted;
    key.trusted = action.enabled && action.verify;
    changing(
      run,
      database,
      () => {
        key.trusted = before;
      },
      table,
    );
    if (action.enabled && action.verify) verifyForeignKey(run, table, key);
  }
  if (action.enabled && action.verify) for (const check of checks) verifyCheck(run, database, table, check);
}
