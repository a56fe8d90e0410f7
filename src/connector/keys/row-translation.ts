/**
 * Shows rows that the database numbers as if they were known by the key of their class: fills keys in that rows do not
 * have yet or that a deletion leaves out, and keeps the directory of both. Everything behind it needs to know one key.
 */
import type { PrimaryKey } from '../../schema/value.ts';
import type { RowMove } from '../capture/moved-keys.ts';
import type { RowPlan } from '../capture/row-plan.ts';
import { type FeedValue, tableId, UNCHANGED } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { KeyDirectory } from './key-directory.ts';

type Row = readonly FeedValue[];
/** A row that was deleted, by the key that the database had made for it. */
export type GoneRow = { readonly mapped: ClassMapping; readonly row: string };
/** Where the two keys stand in the rows of one layout. */
type Places = {
  readonly table: string;
  readonly row: number;
  readonly key: number;
  /** Objects of the class stand in tables of lists, which know them by the keys of their rows. */
  readonly isListed: boolean;
};

export class RowTranslation {
  readonly #directory: KeyDirectory;
  readonly #mapping: (() => Mapping) | undefined;
  readonly #places = new WeakMap<RowPlan, Places>();
  #moves: RowMove[] = [];
  #gone: GoneRow[] = [];

  constructor(directory: KeyDirectory, mapping?: () => Mapping) {
    this.#directory = directory;
    this.#mapping = mapping;
  }

  insert(plan: RowPlan, row: Row): Row {
    if (plan.mapping.key.row === undefined) return row;
    const places = this.#of(plan);
    const { own, key } = this.#keys(plan, places, row);
    const isNew = places.isListed && !this.#directory.isShown(places.table, own, key);
    this.#directory.set(places.table, own, key, row[places.key] === null);
    if (isNew) this.#returned(plan, places, own, key);
    return row[places.key] === key ? row : row.with(places.key, key);
  }

  /** `old` is given back when the key of the class is another one than before, or not known. */
  update(
    plan: RowPlan,
    row: Row,
    old: Row | undefined,
  ): { readonly row: Row; readonly old: Row | undefined } {
    if (plan.mapping.key.row === undefined) return { row, old };
    const places = this.#of(plan);
    const { table } = places;
    const formerOwn = old?.[places.row];
    const own = row[places.row];
    const moved = typeof formerOwn === 'string' && typeof own === 'string' && formerOwn !== own;
    const known = moved ? this.#directory.keyOf(table, formerOwn) : undefined;
    if (moved) {
      this.#directory.remove(table, formerOwn);
      this.#moves.push({ mapped: plan.mapping, from: formerOwn, to: own });
    }
    const before = known ?? (typeof own === 'string' ? this.#directory.keyOf(table, own) : undefined);
    const complete = this.#withKey(plan, places, row, before);
    const key = complete[places.key];
    const shown = old?.[places.key];
    const formerKey = before ?? (typeof shown === 'string' ? shown : undefined);
    if (formerKey === undefined || formerKey === key) return { row: complete, old: undefined };
    return { row: complete, old: row.map((_, index) => (index === places.key ? formerKey : UNCHANGED)) };
  }

  /** Undefined for a row of which no object is known. */
  delete(plan: RowPlan, old: Row): Row | undefined {
    if (plan.mapping.key.row === undefined) return old;
    const places = this.#of(plan);
    const own = old[places.row];
    const shown = old[places.key];
    const known = typeof own === 'string' ? this.#directory.keyOf(places.table, own) : undefined;
    const key = known ?? (typeof shown === 'string' ? shown : undefined);
    if (key === undefined) return undefined;
    const row = typeof own === 'string' ? own : this.#directory.rowOf(places.table, key);
    if (row !== undefined) {
      this.#directory.remove(places.table, row, places.isListed);
      this.#gone.push({ mapped: plan.mapping, row });
    }
    return shown === key ? old : old.with(places.key, key);
  }

  /** The rows whose keys somebody changed since this was asked last. */
  takeMoves(): readonly RowMove[] {
    const moves = this.#moves;
    if (moves.length > 0) this.#moves = [];
    return moves;
  }

  /** The rows that were deleted since this was asked last, whatever becomes of their objects. */
  takeGone(): readonly GoneRow[] {
    const gone = this.#gone;
    if (gone.length > 0) this.#gone = [];
    return gone;
  }

  /** All rows of the table are gone. Call inside the store's transaction. */
  truncate(plan: RowPlan): void {
    if (plan.mapping.key.row !== undefined) this.#directory.clear(tableId(plan.mapping.table.table));
  }

  /** The row with its key as far as it is known by now, without making one; undefined when it is not. */
  peek<T extends FeedValue>(plan: RowPlan, row: readonly T[]): readonly (T | string)[] | undefined {
    if (plan.mapping.key.row === undefined) return row;
    const { table, row: place, key } = this.#of(plan);
    if (typeof row[key] === 'string') return row;
    const own = row[place];
    const known = typeof own === 'string' ? this.#directory.keyOf(table, own) : undefined;
    return known === undefined ? undefined : (row as readonly (T | string)[]).with(key, known);
  }

  /** The key that the database has, or had until now, for the row of an object; undefined where that is its own key. */
  ownKey({ mapping }: RowPlan, key: PrimaryKey): string | undefined {
    return mapping.key.row?.rowOf(key);
  }

  /** An object that was erased and made again: links to it in lists lead to it again, and so must their rows. */
  #returned(plan: RowPlan, { table }: Places, own: string, key: string): void {
    for (const from of this.#directory.takeFormerRows(table, key))
      if (from !== own) this.#moves.push({ mapped: plan.mapping, from, to: own });
  }

  #withKey(plan: RowPlan, places: Places, row: Row, before: string | undefined): Row {
    const { own, key } = this.#keys(plan, places, row, before);
    this.#directory.set(places.table, own, key, row[places.key] === null);
    return row[places.key] === key ? row : row.with(places.key, key);
  }

  /** A row that has lost its key gets back the one that it had. */
  #keys(
    plan: RowPlan,
    { table, row, key }: Places,
    texts: Row,
    before?: string,
  ): { own: string; key: string } {
    const own = texts[row];
    if (typeof own !== 'string') throw withoutOwnKey(plan);
    const shown = texts[key];
    if (typeof shown === 'string') return { own, key: shown };
    const made = before ?? this.#directory.keyOf(table, own) ?? plan.mapping.key.row?.generate?.();
    if (made !== undefined) return { own, key: made };
    const { className, definition } = plan.mapping;
    throw new DataError(`row ${own} of ${table} has no key by which ${className} could know it`, {
      remedy: `give it one, or declare the property of ${plan.mapping.key.row?.column ?? 'the primary key'} as sqlserverPrimaryKey or postgresPrimaryKey, so that ${definition.primaryKey?.field ?? 'the key'} is made for such rows`,
    });
  }

  #of(plan: RowPlan): Places {
    let places = this.#places.get(plan);
    if (places === undefined) {
      const { key, table } = plan.mapping;
      const [row, keyPlace] = [key.row?.column ?? '', key.columns[0] ?? ''].map((name) =>
        plan.names.indexOf(name),
      );
      if (row === undefined || keyPlace === undefined || row < 0 || keyPlace < 0) throw withoutOwnKey(plan);
      const isListed = isListTarget(plan.mapping.className, this.#mapping?.());
      places = { table: tableId(table.table), row, key: keyPlace, isListed };
      this.#places.set(plan, places);
    }
    return places;
  }
}

/** True for a class whose objects may stand in collections that have tables of their own. */
export function isListTarget(className: string, mapping: Mapping | undefined): boolean {
  const tables = mapping?.order.flatMap(({ definition, lists, itemTables }) =>
    [...lists.keys(), ...itemTables.keys()].map((property) => definition.columns.get(property)),
  );
  return tables?.some((column) => column?.linkTarget === className) ?? false;
}

function withoutOwnKey({ mapping }: RowPlan): DataError {
  return new DataError(
    `a row of ${mapping.table.table.name} came without its primary key ${mapping.key.row?.column}`,
    {
      remedy: 'restart the connector: the key of the table was changed while it ran',
    },
  );
}
