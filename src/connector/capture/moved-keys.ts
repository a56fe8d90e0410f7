/**
 * Rows whose key another statement changed. Their objects are erased and made anew under the new key; what only the
 * realm holds of them, their lists and the lists that they stand in go along, on both sides.
 */
import type { Instruction } from '../../changeset/instruction.ts';
import { keyToken, type PrimaryKey, type ScalarValue } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { defaultValue } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { stateDifference } from '../../store/state/state-difference.ts';
import { oidOf } from '../apply/collection-plan.ts';
import type { ApplyStatement, TableInfo } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, Mapping } from '../mapping/class-mapping.ts';
import type { RowEffect } from './transaction-buffer.ts';

type Move = { readonly mapped: ClassMapping; readonly from: PrimaryKey; readonly to: PrimaryKey };
/** A change of the key that the database made for a row; its object stays what it is. */
export type RowMove = { readonly mapped: ClassMapping; readonly from: string; readonly to: string };

export class MovedKeys {
  /** By class and token of the key before. */
  readonly #moves: ReadonlyMap<string, ReadonlyMap<string, Move>>;
  /** Classes and tokens of objects that are gone, or made anew, by the transaction. */
  readonly #touched = new Set<string>();

  private constructor(moves: ReadonlyMap<string, ReadonlyMap<string, Move>>, effects: Iterable<RowEffect>) {
    this.#moves = moves;
    for (const { plan, keyTexts, row, replaced } of effects) {
      const key = row === undefined || replaced ? readable(plan.mapping, keyTexts) : undefined;
      if (key !== undefined) this.#touched.add(nameOf(plan.mapping.className, key));
    }
  }

  /** Undefined when no key was changed, as in nearly every transaction. */
  static of(effects: () => Iterable<RowEffect>): MovedKeys | undefined {
    const moves = new Map<string, Map<string, Move>>();
    for (const { plan, keyTexts, row, movedFrom } of effects()) {
      if (row === undefined || movedFrom === undefined) continue;
      const { className } = plan.mapping;
      const [from, to] = [readable(plan.mapping, movedFrom), readable(plan.mapping, keyTexts)];
      if (from === undefined || to === undefined || keyToken(from) === keyToken(to)) continue;
      const ofClass = moves.get(className) ?? new Map<string, Move>();
      moves.set(className, ofClass.set(keyToken(from), { mapped: plan.mapping, from, to }));
    }
    return moves.size === 0 ? undefined : new MovedKeys(moves, effects());
  }

  /** True for an object that goes on under another key, so that its lists are not to be emptied. */
  leaves(className: string, key: PrimaryKey): boolean {
    return this.#moves.get(className)?.has(keyToken(key)) ?? false;
  }

  /**
   * Turns links to the objects to their new keys: those in lists; and single ones where columns hold the key that the
   * database made, which did not change (elsewhere the referring rows change too, or refer to nothing now).
   */
  relink(mapping: Mapping, replica: ReplicaReader, out: Instruction[]): void {
    for (const { className, definition } of mapping.order) {
      const fields = [...definition.columns].filter(([, { type, linkTarget, collection }]) => {
        const moves = type === 'link' ? this.#moves.get(linkTarget ?? '') : undefined;
        const [move] = moves?.values() ?? [];
        return move !== undefined && (collection === 'list' || move.mapped.key.row !== undefined);
      });
      if (fields.length === 0 || !replica.schema.has(className)) continue;
      for (const { key, state } of replica.objects(className)) {
        if (this.#touched.has(nameOf(className, key))) continue; // made anew with the new links
        for (const [field] of fields) this.#relinkField(className, key, field, state.fields.get(field), out);
      }
    }
  }

  #relinkField(
    table: string,
    key: PrimaryKey,
    field: string,
    value: StateValue | undefined,
    out: Instruction[],
  ): void {
    if (value?.type === 'link') {
      const moved = this.#renamed(value);
      if (moved !== value)
        out.push({ op: 'Update', table, key, field, path: [], value: moved, isDefault: false });
    }
    if (value?.type !== 'list') return;
    value.items.forEach((item, index) => {
      const moved = item.type === 'link' ? this.#renamed(item) : item;
      if (moved === item || moved.type !== 'link') return;
      const priorSize = value.items.length;
      out.push({ op: 'Update', table, key, field, path: [index], value: moved, priorSize });
    });
  }

  #renamed(value: ScalarValue): ScalarValue {
    if (value.type !== 'link') return value;
    const move = this.#moves.get(value.table)?.get(keyToken(value.key));
    return move === undefined ? value : { ...value, key: move.to };
  }

  /** Gives the object under the new key what the row does not say of it. Appends to `out`. */
  carryOver(
    effect: RowEffect,
    replica: ReplicaReader,
    under: ObjectState | undefined,
    out: Instruction[],
  ): void {
    const { mapping } = effect.plan;
    const from = mapping.key.toRealm(effect.movedFrom ?? effect.keyTexts);
    const move = this.#moves.get(mapping.className)?.get(keyToken(from));
    const before = move === undefined ? undefined : replica.object(mapping.className, from);
    if (move === undefined || before === undefined) return;
    for (const [field, value] of before.fields) {
      const definition = mapping.definition.columns.get(field);
      if (definition === undefined || mapping.properties.has(field) || mapping.states.has(field)) continue;
      const address = { table: mapping.className, key: move.to, field, path: [] };
      const was = under?.fields.get(field) ?? defaultValue(definition);
      const now = this.#copied(value);
      for (const instruction of stateDifference(replica.schema, address, definition, was, now))
        out.push(instruction);
    }
  }

  #copied(value: StateValue): StateValue {
    switch (value.type) {
      case 'link':
        return this.#renamed(value);
      case 'list':
        return { type: 'list', items: value.items.map((item) => this.#copied(item)) };
      default:
        return value;
    }
  }

  /** The rows of the tables of collections that know the objects by their keys. */
  statements(mapping: Mapping): ApplyStatement[] {
    return [...this.#moves.values()].flatMap((moves) => {
      const [first] = moves.values();
      if (first === undefined || first.mapped.key.row !== undefined) return [];
      const rows = [...moves.values()].map(({ mapped, from, to }): [string, string] => [
        oidOf(mapped, from),
        oidOf(mapped, to),
      ]);
      return collectionRows(first.mapped.className, rows, mapping);
    });
  }
}

/** The same for keys that the database made. */
export function movedRowStatements(moves: readonly RowMove[], mapping: Mapping): ApplyStatement[] {
  const byClass = Map.groupBy(moves, ({ mapped }) => mapped.className);
  return [...byClass].flatMap(([className, ofClass]) =>
    collectionRows(
      className,
      ofClass.map(({ from, to }) => [from, to]),
      mapping,
    ),
  );
}

function collectionRows(
  className: string,
  rows: readonly (readonly [string, string])[],
  mapping: Mapping,
): ApplyStatement[] {
  const replace = (table: TableInfo, column: string): ApplyStatement => ({
    kind: 'update',
    table,
    keyColumns: [column],
    columns: [column],
    rows,
  });
  return mapping.order.flatMap((mapped) =>
    [...mapped.lists.values(), ...mapped.itemTables.values()].flatMap(({ property, table }) => [
      ...(mapped.className === className ? [replace(table, 'oid')] : []),
      ...(mapped.definition.columns.get(property)?.linkTarget === className
        ? [replace(table, 'target')]
        : []),
    ]),
  );
}

/** Undefined for a key that no object can have, which is for others to report. */
function readable({ key }: ClassMapping, texts: readonly string[]): PrimaryKey | undefined {
  try {
    return key.toRealm(texts);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

function nameOf(className: string, key: PrimaryKey): string {
  return `${className}\0${keyToken(key)}`;
}
