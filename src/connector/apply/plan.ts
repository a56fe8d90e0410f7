/**
 * From merged transactions to ordered, set-based statements (DESIGN §4): pure, from the mapping and the replica.
 *
 * Order: emptied classes; rows inserted or updated, parents before children; links inside a cycle of tables, which
 * were null until then; rows deleted, children before parents; lists.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { type ApplyStatement, type SqlText, tableId } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, MappedColumn, Mapping } from '../mapping/class-mapping.ts';
import {
  isScalarState,
  type ListChange,
  type NetEffect,
  netEffect,
  type ObjectEffect,
  objectToken,
} from './net-effect.ts';

export type PlanStyle = {
  /** For a row to be inserted that collides with one to be deleted. */
  readonly deletesFirst?: boolean;
  /**
   * Sets nullable references to deleted rows to NULL first, as deleting an object does to links in the realm: for rows
   * that somebody else has made refer to them meanwhile.
   */
  readonly nullifyReferences?: boolean;
};

/** Throws `DataError` when a value does not fit its column. */
export function planStatements(
  instructions: Iterable<MergedInstruction>,
  mapping: Mapping,
  replica: ReplicaReader,
  style: PlanStyle = {},
): ApplyStatement[] {
  const effect = netEffect(instructions);
  const writes = planWrites(effect, mapping, replica);
  const deletes = planDeletes(effect, mapping, style.nullifyReferences ?? false);
  const clears = planClears(effect, mapping);
  const lists = planLists(effect, mapping, replica);
  return style.deletesFirst
    ? [...clears, ...deletes, ...writes, ...lists]
    : [...clears, ...writes, ...deletes, ...lists];
}

function planClears(effect: NetEffect, mapping: Mapping): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const mapped of [...mapping.order].reverse()) {
    if (!effect.cleared.has(mapped.className)) continue;
    for (const list of mapped.lists.values()) statements.push({ kind: 'deleteAll', table: list.table });
    statements.push({ kind: 'deleteAll', table: mapped.table });
  }
  return statements;
}

type Run = {
  kind: 'upsert' | 'update';
  mapped: ClassMapping;
  columns: readonly MappedColumn[];
  rows: SqlText[][];
};

function planWrites(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): ApplyStatement[] {
  const runs: ApplyStatement[] = [];
  const later: ApplyStatement[] = [];
  const position = new Map(mapping.order.map((mapped, index) => [mapped.className, index]));
  const byClass = effectsByClass(effect, (operation) => operation !== 'delete');
  for (const mapped of mapping.order) {
    const effects = byClass.get(mapped.className);
    if (effects === undefined) continue;
    const grouped = new Map<string, Run>();
    const postponed = new Map<string, Run>();
    for (const object of effects) {
      const row = rowOf(object, mapped, replica);
      for (const [mappedColumn, text] of postponedLinks(object, mapped, effect, position)) {
        row.set(mappedColumn, null);
        addRow(postponed, 'update', mapped, object.key, new Map([[mappedColumn, text]]));
      }
      const kind = object.operation === 'update' ? 'update' : 'upsert';
      if (kind === 'upsert' || row.size > 0) addRow(grouped, kind, mapped, object.key, row);
    }
    for (const run of grouped.values()) runs.push(statementOf(run));
    for (const run of postponed.values()) later.push(statementOf(run));
  }
  return [...runs, ...later];
}

function effectsByClass(
  effect: NetEffect,
  include: (operation: ObjectEffect['operation']) => boolean,
): Map<string, ObjectEffect[]> {
  const byClass = new Map<string, ObjectEffect[]>();
  for (const object of effect.objects.values()) {
    if (!include(object.operation)) continue;
    const effects = byClass.get(object.table);
    if (effects === undefined) byClass.set(object.table, [object]);
    else effects.push(object);
  }
  return byClass;
}

function rowOf(
  object: ObjectEffect,
  mapped: ClassMapping,
  replica: ReplicaReader,
): Map<MappedColumn, SqlText> {
  const row = new Map<MappedColumn, SqlText>();
  for (const column of mapped.properties.values()) {
    const value = object.values.get(column.property);
    const partOfKey = mapped.key.columns.indexOf(column.column.name);
    if (partOfKey >= 0 && value !== undefined) requireAgreement(object, mapped, column, value, partOfKey);
    if (column.column.readOnly || partOfKey >= 0) continue;
    if (value !== undefined) row.set(column, textOf(value, column, mapped, object.key, replica));
    else if (object.operation === 'replace' || (object.operation === 'insert' && isRequired(column))) {
      row.set(column, textOf(defaultOf(column), column, mapped, object.key, replica));
    }
  }
  return row;
}

/** A property that is part of a compound key says what the key says, or the row would be another one. */
function requireAgreement(
  object: ObjectEffect,
  mapped: ClassMapping,
  column: MappedColumn,
  value: StateValue,
  part: number,
): void {
  const texts = mapped.key.toSql(object.key);
  if (isScalarState(value) && column.codec.toSql(value) === texts[part]) return;
  throw new DataError(
    `${mapped.className} ${texts.join('-')}: property ${column.property} is part of the key and says otherwise`,
    { remedy: 'delete the object and create one with the new key instead of changing it' },
  );
}

/** A column that an INSERT must name although the client wrote nothing into the property. */
function isRequired(column: MappedColumn): boolean {
  return !column.column.nullable && !column.column.hasDefault && !column.definition.nullable;
}

function defaultOf(column: MappedColumn): StateValue {
  return defaultValue(column.definition);
}

function textOf(
  value: StateValue,
  column: MappedColumn,
  mapped: ClassMapping,
  key: PrimaryKey,
  replica: ReplicaReader,
): SqlText {
  if (!isScalarState(value)) {
    throw new DataError(
      `${mapped.className}.${column.property} holds a ${value.type}, which column ${column.column.name} cannot hold`,
    );
  }
  if (
    value.type === 'link' &&
    column.column.nullable &&
    replica.object(value.table, value.key) === undefined
  ) {
    return null; // reads as null in the realm, and a foreign key would refuse it
  }
  try {
    return column.codec.toSql(value);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    const where = `${mapped.className} ${mapped.key.toSql(key).join('-')}, property ${column.property}`;
    throw new DataError(`${where}: ${cause.message}`, { cause });
  }
}

/** Links to rows of the same run that stand later in the order, or in the same table: set after all rows are there. */
function postponedLinks(
  object: ObjectEffect,
  mapped: ClassMapping,
  effect: NetEffect,
  position: ReadonlyMap<string, number>,
): [MappedColumn, SqlText][] {
  const links: [MappedColumn, SqlText][] = [];
  for (const [property, value] of object.values) {
    if (value.type !== 'link') continue;
    const column = mapped.properties.get(property);
    if (column === undefined || !column.column.nullable || column.column.readOnly) continue;
    if (mapped.key.columns.includes(column.column.name)) continue;
    if ((position.get(value.table) ?? -1) < (position.get(mapped.className) ?? 0)) continue;
    const target = effect.objects.get(objectToken(value.table, value.key));
    if (target === undefined || target.operation === 'update' || target.operation === 'delete') continue;
    links.push([column, column.codec.toSql(value)]);
  }
  return links;
}

function addRow(
  runs: Map<string, Run>,
  kind: Run['kind'],
  mapped: ClassMapping,
  key: PrimaryKey,
  row: ReadonlyMap<MappedColumn, SqlText>,
): void {
  const columns = [...row.keys()];
  const shape = `${kind} ${columns.map((column) => column.column.name).join('\0')}`;
  let run = runs.get(shape);
  if (run === undefined) {
    run = { kind, mapped, columns, rows: [] };
    runs.set(shape, run);
  }
  run.rows.push([...mapped.key.toSql(key), ...row.values()]);
}

function statementOf(run: Run): ApplyStatement {
  return {
    kind: run.kind,
    table: run.mapped.table,
    keyColumns: run.mapped.key.columns,
    columns: run.columns.map((column) => column.column.name),
    rows: run.rows,
  };
}

function planDeletes(effect: NetEffect, mapping: Mapping, nullify: boolean): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  const byClass = effectsByClass(effect, (operation) => operation === 'delete');
  for (const mapped of [...mapping.order].reverse()) {
    const effects = byClass.get(mapped.className);
    if (effects === undefined) continue;
    for (const list of mapped.lists.values()) {
      for (const object of effects)
        statements.push({ kind: 'listClear', table: list.table, oid: oidOf(mapped, object.key) });
    }
    const rows = effects.map((object) => [...mapped.key.toSql(object.key)]);
    if (nullify) statements.push(...nullifications(mapped, rows, mapping));
    statements.push({ kind: 'delete', table: mapped.table, keyColumns: mapped.key.columns, rows });
  }
  return statements;
}

function nullifications(mapped: ClassMapping, rows: readonly string[][], mapping: Mapping): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const child of mapping.order) {
    for (const { columns, referenced } of child.table.foreignKeys) {
      if (tableId(referenced) !== tableId(mapped.table.table) || columns.length !== 1) continue;
      const column = child.table.columns.find((candidate) => candidate.name === columns[0]);
      if (column === undefined || !column.nullable || column.readOnly) continue;
      const nulls = rows.map(([key]): SqlText[] => [key ?? null, null]);
      statements.push({ kind: 'update', table: child.table, keyColumns: columns, columns, rows: nulls });
    }
  }
  return statements;
}

function planLists(effect: NetEffect, mapping: Mapping, replica: ReplicaReader): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const changes of effect.lists.values()) {
    const first = changes[0];
    const mapped = first === undefined ? undefined : mapping.forClass(first.table);
    if (first === undefined || mapped === undefined) continue;
    const alive = replica.object(first.table, first.key) !== undefined;
    const oid = oidOf(mapped, first.key);
    const gone = new Set<string>();
    for (const change of changes) {
      const list = mapped.lists.get(change.property);
      if (list === undefined) continue;
      if (alive) statements.push(listStatement(change, list.table, oid, list.toSql));
      else if (!gone.has(change.property)) {
        gone.add(change.property);
        statements.push({ kind: 'listClear', table: list.table, oid });
      }
    }
  }
  return statements;
}

function listStatement(
  change: ListChange,
  table: ApplyStatement['table'],
  oid: string,
  toSql: (target: StateValue & { type: 'link' | 'null' }) => SqlText,
): ApplyStatement {
  switch (change.type) {
    case 'LIST_INSERT':
      return {
        kind: 'listInsert',
        table,
        oid,
        index: change.index,
        target: toSql(linkOrNull(change.target)),
      };
    case 'LIST_SET':
      return { kind: 'listSet', table, oid, index: change.index, target: toSql(linkOrNull(change.target)) };
    case 'LIST_ERASE':
      return { kind: 'listErase', table, oid, index: change.index };
    case 'LIST_CLEAR':
      return { kind: 'listClear', table, oid };
  }
}

function linkOrNull(value: StateValue): StateValue & { type: 'link' | 'null' } {
  return value.type === 'link' ? value : NULL;
}

/** The text by which list tables know an object: its key, parts of a compound key joined as in the realm. */
export function oidOf(mapped: ClassMapping, key: PrimaryKey): string {
  return mapped.key.toSql(key).join('-');
}
