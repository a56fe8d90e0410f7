/**
 * From merged transactions to ordered, set-based statements (DESIGN §4): pure, from the mapping and the replica.
 *
 * Order: emptied classes; rows inserted or updated, parents before children; links inside a cycle of tables, which
 * were null until then; rows deleted, children before parents; the tables of collections.
 */
import type { MergedInstruction } from '../../adapter/merged-instruction.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { type ApplyStatement, type ColumnInfo, type KeyLookup, type SqlText, tableId } from '../dialect.ts';
import { identifyJoins } from '../keys/join-keys.ts';
import type { ListPlan, ListStatements } from '../lists/list-plan.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import {
  addWholeLists,
  clearedCollections,
  emptiedCollections,
  forgottenItems,
  planItems,
  planLists,
} from './collection-plan.ts';
import { type NetEffect, netEffect, type ObjectEffect, objectToken } from './net-effect.ts';
import { type Cells, cellsOf } from './row-cells.ts';

export type PlanStyle = {
  /** For a row to be inserted that collides with one to be deleted. */
  readonly deletesFirst?: boolean;
  /**
   * Sets nullable references to deleted rows to NULL first, as deleting an object does to links in the realm: for rows
   * that somebody else has made refer to them meanwhile.
   */
  readonly nullifyReferences?: boolean;
};

const NO_LISTS: ListStatements = { leaving: [], order: [] };

/**
 * `lists` plans those that are kept from both sides; without it they are written as every other list is. Throws
 * `DataError` when a value does not fit its column.
 */
export function planStatements(
  instructions: Iterable<MergedInstruction>,
  mapping: Mapping,
  replica: ReplicaReader,
  style: PlanStyle = {},
  lists?: ListPlan,
): ApplyStatement[] {
  const effect = netEffect(instructions);
  addWholeLists(effect, mapping, replica);
  identifyJoins(effect, mapping, replica);
  const { leaving, order } = lists?.statements(effect, mapping, replica) ?? NO_LISTS;
  const writes = planWrites(effect, mapping, replica);
  const deletes = planDeletes(effect, mapping, style.nullifyReferences ?? false);
  const clears = planClears(effect, mapping);
  const collections = [
    ...planLists(effect, mapping, replica, lists),
    ...planItems(effect, mapping, replica),
    ...order,
  ];
  return style.deletesFirst
    ? [...clears, ...leaving, ...deletes, ...writes, ...collections]
    : [...clears, ...writes, ...leaving, ...deletes, ...collections];
}

function planClears(effect: NetEffect, mapping: Mapping): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const mapped of [...mapping.order].reverse()) {
    if (!effect.cleared.has(mapped.className)) continue;
    statements.push(...emptiedCollections(mapped), { kind: 'deleteAll', table: mapped.table });
  }
  return statements;
}

type Run = {
  kind: 'upsert' | 'update';
  mapped: ClassMapping;
  columns: readonly string[];
  lookups: Map<string, KeyLookup>;
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
    const ordered = inOrderOfReferences(effects, mapped, effect);
    for (const object of ordered ?? effects) {
      const row = cellsOf(object, mapped, replica);
      for (const name of postponedLinks(object, mapped, effect, position)) {
        const cell = row.get(name);
        if (cell === undefined) continue;
        addRow(postponed, 'update', mapped, object, new Map([[name, cell]]));
        row.set(name, { ...cell, text: null });
      }
      const kind = object.operation === 'update' ? 'update' : 'upsert';
      const written = row.size > 0 || kind === 'upsert' ? row : untouched(object, mapped);
      if (written !== row && !overwritesDatabase(object, mapped)) continue;
      if (ordered !== undefined && !grouped.has(shapeOf(kind, written, object))) {
        for (const run of grouped.values()) runs.push(statementOf(run));
        grouped.clear();
      }
      addRow(grouped, kind, mapped, object, written);
      if (object.identity?.isKnown) addRow(postponed, 'update', mapped, object, untouched(object, mapped)); // so that the feed shows it
    }
    for (const run of grouped.values()) runs.push(statementOf(run));
    for (const run of postponed.values()) later.push(statementOf(run));
  }
  return [...runs, ...later];
}

/**
 * Rows that must refer to a row of their own table come after it: databases check references after each statement, and
 * not all rows of a class go into one. Undefined where no order is needed; rows in a ring can only come in together.
 */
function inOrderOfReferences(
  effects: readonly ObjectEffect[],
  mapped: ClassMapping,
  effect: NetEffect,
): readonly ObjectEffect[] | undefined {
  const links = [...mapped.properties.values()].filter(
    ({ definition, column }) => definition.linkTarget === mapped.className && !column.nullable,
  );
  if (links.length === 0) return undefined;
  const parentsOf = (object: ObjectEffect): ObjectEffect[] =>
    links.flatMap(({ property }) => {
      const value = object.values.get(property);
      const parent =
        value?.type === 'link' ? effect.objects.get(objectToken(value.table, value.key)) : undefined;
      return parent === undefined || parent.operation === 'delete' ? [] : [parent];
    });
  const ordered = new Set<ObjectEffect>();
  const entered = new Set<ObjectEffect>();
  const open = [...effects].reverse();
  for (let object = open.pop(); object !== undefined; object = open.pop()) {
    if (entered.has(object)) {
      ordered.add(object);
      continue;
    }
    entered.add(object);
    open.push(object, ...parentsOf(object).filter((parent) => !entered.has(parent)));
  }
  return [...ordered];
}

/** A value that is the database's to make was written in the realm, where it must become the database's again. */
function overwritesDatabase({ values }: ObjectEffect, { properties, key }: ClassMapping): boolean {
  return key.row !== undefined && [...values.keys()].some((name) => properties.get(name)?.column.readOnly);
}

/** Sets the key to what it is, so that the feed shows the row. */
function untouched(object: ObjectEffect, mapped: ClassMapping): Cells {
  const { key } = mapped;
  const texts = rowOf(object, mapped);
  return new Map(key.columns.map((name, part) => [name, { text: texts[part] ?? null, lookup: undefined }]));
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

/** Columns of links to rows of the same run that stand later in the order, or in the same table: set after all rows are there. */
function postponedLinks(
  object: ObjectEffect,
  mapped: ClassMapping,
  effect: NetEffect,
  position: ReadonlyMap<string, number>,
): string[] {
  const links: string[] = [];
  for (const [property, value] of object.values) {
    if (value.type !== 'link') continue;
    const columns = columnsOf(property, mapped).filter(
      ({ name, nullable, readOnly }) => nullable && !readOnly && !mapped.key.columns.includes(name),
    );
    if (columns.length === 0) continue;
    if ((position.get(value.table) ?? -1) < (position.get(mapped.className) ?? 0)) continue;
    const target = effect.objects.get(objectToken(value.table, value.key));
    if (target === undefined || target.operation === 'update' || target.operation === 'delete') continue;
    for (const { name } of columns) links.push(name);
  }
  return links;
}

function columnsOf(property: string, { properties, states }: ClassMapping): readonly ColumnInfo[] {
  const column = properties.get(property)?.column;
  return column === undefined ? (states.get(property)?.columns ?? []) : [column];
}

function addRow(
  runs: Map<string, Run>,
  kind: Run['kind'],
  mapped: ClassMapping,
  object: ObjectEffect,
  row: Cells,
): void {
  const columns = [...row.keys()];
  const shape = shapeOf(kind, row, object);
  let run = runs.get(shape);
  if (run === undefined) {
    run = { kind, mapped, columns, lookups: new Map(object.identity?.lookups), rows: [] };
    for (const [name, { lookup }] of row) if (lookup !== undefined) run.lookups.set(name, lookup);
    runs.set(shape, run);
  }
  const texts: SqlText[] = [...rowOf(object, mapped)];
  for (const { text } of row.values()) texts.push(text);
  run.rows.push(texts);
}

/** The texts by which the row of an object is known. */
function rowOf({ key, identity }: ObjectEffect, mapped: ClassMapping): readonly string[] {
  return identity?.texts ?? mapped.key.toSql(key);
}

function shapeOf(kind: Run['kind'], row: Cells, { identity }: ObjectEffect): string {
  return [kind, ...(identity?.lookups.keys() ?? []), '', ...row.keys()].join('\0');
}

function statementOf({ kind, mapped, columns, lookups, rows }: Run): ApplyStatement {
  const { table, key } = mapped;
  const statement = { kind, table, keyColumns: key.columns, columns, rows };
  return lookups.size === 0 ? statement : { ...statement, lookups };
}

function planDeletes(effect: NetEffect, mapping: Mapping, nullify: boolean): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  const byClass = effectsByClass(effect, (operation) => operation === 'delete');
  for (const mapped of [...mapping.order].reverse()) {
    const effects = byClass.get(mapped.className);
    if (effects === undefined) continue;
    statements.push(
      ...clearedCollections(
        mapped,
        effects.map(({ key }) => key),
      ),
    );
    const rows = effects.map((object) => [...rowOf(object, mapped)]);
    if (nullify) {
      statements.push(
        ...nullifications(mapped, rows, mapping),
        ...forgottenItems(mapped.table, rows, mapping),
      );
    }
    statements.push({ kind: 'delete', table: mapped.table, keyColumns: mapped.key.columns, rows });
  }
  return statements;
}

function nullifications(mapped: ClassMapping, rows: readonly string[][], mapping: Mapping): ApplyStatement[] {
  const statements: ApplyStatement[] = [];
  for (const child of mapping.order) {
    for (const { columns, referenced, referencedColumns } of child.table.foreignKeys) {
      if (tableId(referenced) !== tableId(mapped.table.table)) continue;
      if (columns.length > 1) {
        statements.push(...compoundNullification(mapped, child, columns, referencedColumns, rows));
        continue;
      }
      const column = child.table.columns.find((candidate) => candidate.name === columns[0]);
      if (column === undefined || !column.nullable || column.readOnly) continue;
      const nulls = rows.map(([key]): SqlText[] => [key ?? null, null]);
      const { row } = mapped.key;
      const lookups =
        row !== undefined && referencedColumns[0] === row.column
          ? { lookups: new Map([[column.name, row.lookup]]) }
          : {};
      statements.push({
        kind: 'update',
        table: child.table,
        keyColumns: columns,
        columns,
        rows: nulls,
        ...lookups,
      });
    }
  }
  return statements;
}

/** One part that is null makes a reference of several columns none; parts of the row's own key stay. */
function compoundNullification(
  mapped: ClassMapping,
  child: ClassMapping,
  columns: readonly string[],
  referencedColumns: readonly string[],
  rows: readonly string[][],
): ApplyStatement[] {
  const order = referencedColumns.map((name) => mapped.key.columns.indexOf(name));
  const emptied = [...child.states.values()]
    .filter((state) => columns.every((name) => state.columns.some((column) => column.name === name)))
    .flatMap((state) => state.columns)
    .filter(({ nullable, readOnly }) => nullable && !readOnly)
    .map(({ name }) => name);
  if (order.includes(-1) || emptied.length === 0) return [];
  const nulls = rows.map((row): SqlText[] => [
    ...order.map((part) => row[part] ?? null),
    ...emptied.map(() => null),
  ]);
  return [{ kind: 'update', table: child.table, keyColumns: columns, columns: emptied, rows: nulls }];
}
