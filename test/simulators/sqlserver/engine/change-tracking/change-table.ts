/** CHANGETABLE(CHANGES …) and CHANGETABLE(VERSION …) as sources of queries. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { Expression, TableSource } from '../../sql/ast.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { compileInputs, computedLeaf } from '../executor/computed-source.ts';
import type { Data, Env } from '../executor/environment.ts';
import type { Leaf } from '../executor/producers.ts';
import type { QueryScope, SourceColumn } from '../executor/query-scope.ts';
import { addSource, tableColumns } from '../executor/sources.ts';
import { readerFor } from '../executor/table-access.ts';
import { visible } from '../storage/reading.ts';
import type { Table } from '../storage/table.ts';
import { snapshotOf } from './functions.ts';
import { netChanges } from './net-changes.ts';
import { keyText } from './recording.ts';
import type { TableTracking } from './table-tracking.ts';

const CONTEXT: SqlType = { kind: 'varbinary', length: 128 };
const BIGINT: SqlType = { kind: 'bigint' };

function columnsOfChange(kind: 'changes' | 'version'): SourceColumn[] {
  const named: readonly (readonly [string, SqlType])[] =
    kind === 'changes'
      ? [
          ['SYS_CHANGE_VERSION', BIGINT],
          ['SYS_CHANGE_CREATION_VERSION', BIGINT],
          ['SYS_CHANGE_OPERATION', { kind: 'nchar', length: 1 }],
          ['SYS_CHANGE_COLUMNS', { kind: 'varbinary', length: 4100 }],
          ['SYS_CHANGE_CONTEXT', CONTEXT],
        ]
      : [
          ['SYS_CHANGE_VERSION', BIGINT],
          ['SYS_CHANGE_CONTEXT', CONTEXT],
        ];
  return named.map(([name, type], slot) => ({ name, type, slot, nullable: true }));
}

/** The tracked table that is meant: 22104 without an alias, 22105 when it is not tracked, 229 without permission. */
function trackedTable(
  source: Extract<TableSource, { readonly kind: 'changes' | 'version' }>,
  scope: QueryScope,
): { readonly table: Table; readonly tracking: TableTracking } {
  const { line, table: name } = source;
  if (source.alias === undefined) {
    throw new SqlFailure(22104, 'A table returned by the CHANGETABLE function must be aliased.', { line });
  }
  const table = scope.owner.requireTable(name);
  scope.owner.checkPermission(
    'SELECT',
    table,
    table.primaryKey?.columns.map(({ column }) => column.id),
    line,
  );
  scope.owner.checkPermission('VIEW CHANGE TRACKING', table, undefined, line);
  if (!table.tracking) {
    throw new SqlFailure(22105, `Change tracking is not enabled on table '${name.name}'.`, { line });
  }
  return { table, tracking: table.tracking };
}

function requireConstant(expression: Expression, line: number): void {
  const plain =
    expression.kind === 'unary' && expression.operand.kind === 'literal' ? expression.operand : expression;
  if (['literal', 'null', 'variable'].includes(plain.kind)) return;
  throw new SqlFailure(102, "Incorrect syntax near 'CHANGETABLE'.", { severity: 15, line });
}

export function bindChanges(
  source: Extract<TableSource, { readonly kind: 'changes' }>,
  scope: QueryScope,
): Leaf {
  const { line } = source;
  requireConstant(source.since, line);
  const { table, tracking } = trackedTable(source, scope);
  const { compiled } = compileInputs([source.since], scope);
  const [since] = compiled;
  const integers = ['tinyint', 'smallint', 'int', 'bigint'];
  if (!since!.untypedNull && !integers.includes(since!.type.kind)) {
    throw new SqlFailure(
      22102,
      'The arguments supplied to the CHANGES option in the CHANGETABLE function are not valid.',
      { line },
    );
  }
  const own = columnsOfChange('changes');
  const columns = [...own, ...keyColumns(table, own.length)];
  const bound = addSource(scope, [source.alias!], columns, undefined, source.columnAliases, line);
  return computedLeaf(bound, true, (env) => {
    const { run } = env;
    const database = run.session.instance.databaseOf(table) ?? run.database;
    const counter = database.tracking;
    if (!counter) return [];
    readerFor(run, table, [], 'read');
    const until = counter.versionAt(snapshotOf(run, database));
    const value = since!.evaluate(env);
    const from = value === null ? null : Number(value);
    const { behaviour } = run.session.instance.faults;
    return netChanges(tracking, from, until, behaviour).map(
      (change): Data => [
        BigInt(change.version),
        change.creationVersion === null ? null : BigInt(change.creationVersion),
        change.operation,
        change.columns,
        change.context,
        ...change.key,
      ],
    );
  });
}

function keyColumns(table: Table, offset: number): SourceColumn[] {
  const all = tableColumns(table);
  return table.primaryKey!.columns.map(({ column }, at) => {
    const found = all.find((one) => one.columnId === column.id)!;
    return { ...found, slot: offset + at, identity: false };
  });
}

export function bindVersion(
  source: Extract<TableSource, { readonly kind: 'version' }>,
  scope: QueryScope,
): Leaf {
  const { line } = source;
  const { table, tracking } = trackedTable(source, scope);
  const key = table.primaryKey!;
  const named = source.keyColumns.map((name) => name.toLowerCase());
  const right =
    named.length === key.columns.length &&
    key.columns.every(({ column }) => named.includes(column.name.toLowerCase()));
  if (!right || source.keyValues.length !== named.length) {
    throw new SqlFailure(
      22112,
      'Each primary key column of the table must be specified once in the column list of the VERSION option in the CHANGETABLE function.',
      { line },
    );
  }
  const { compiled, constant } = compileInputs(source.keyValues, scope);
  const own = columnsOfChange('version');
  const columns = [...own, ...keyColumns(table, own.length)];
  const bound = addSource(scope, [source.alias!], columns, undefined, source.columnAliases, line);
  const ordered = key.columns.map(({ column }) => ({
    column,
    value: compiled[named.indexOf(column.name.toLowerCase())]!,
  }));
  return computedLeaf(bound, constant, (env) => {
    const values = ordered.map(({ column, value }): Datum => {
      const given = value.evaluate(env);
      return given === null ? null : convertDatum(given, value.type, column.type, env.run.session.conversion);
    });
    return versionRow(env, table, tracking, values);
  });
}

/** One row when the key exists, with NULL as its version when it was never changed (fact 18). */
function versionRow(env: Env, table: Table, tracking: TableTracking, values: readonly Datum[]): Data[] {
  const { run } = env;
  const key = table.primaryKey!;
  const text = keyText(key, values);
  const reader = readerFor(run, table, [], 'read');
  const exists = table
    .hash(key)
    .find(text)
    .some((row) => {
      const data = visible(row, reader);
      return data !== null && table.keyOf(key, data) === text;
    });
  if (!exists) return [];
  const database = run.session.instance.databaseOf(table) ?? run.database;
  const until = database.tracking?.versionAt(snapshotOf(run, database)) ?? 0;
  const last = tracking.keys.get(text)?.changes.findLast((change) => change.version <= until);
  return [[last ? BigInt(last.version) : null, last?.context ?? null, ...values]];
}
