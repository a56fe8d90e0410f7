/** Compares one row with one object, property by property, through the mapping: pure. */

import type { Instruction } from '../../changeset/instruction.ts';
import { sameValue } from '../../schema/equality.ts';
import type { PrimaryKey } from '../../schema/value.ts';
import type { ReplicaReader } from '../../store/replica/contract.ts';
import { readField } from '../../store/state/default-value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { sameState } from '../../store/state/same-state.ts';
import { isScalarState } from '../apply/net-effect.ts';
import { captureState } from '../capture/capture-change.ts';
import { RowPlan, realmValueOf } from '../capture/row-plan.ts';
import type { SqlText } from '../dialect.ts';
import type { ClassMapping } from '../mapping/class-mapping.ts';
import type { PropertyDifference } from './difference.ts';
import type { Side, SideRow } from './side-tables.ts';
import { shortened, valueText } from './value-text.ts';

const SECRET = '(secret)';

export class RowComparison {
  readonly mapped: ClassMapping;
  readonly plan: RowPlan;
  /** The columns that rows must be read with, those of the key first. */
  readonly columnNames: readonly string[];

  readonly #secrets: ReadonlySet<string>;

  /**
   * `allColumns` for functions that decide about a row's realm by whatever column. `secrets` names properties, as
   * `Class.property`, whose values are not shown.
   */
  constructor(
    mapped: ClassMapping,
    { allColumns, secrets }: { readonly allColumns: boolean; readonly secrets: ReadonlySet<string> },
  ) {
    this.mapped = mapped;
    this.#secrets = secrets;
    const names = new Set(mapped.key.columns);
    if (mapped.key.row !== undefined) names.add(mapped.key.row.column);
    for (const property of mapped.properties.values()) names.add(property.column.name);
    for (const state of mapped.states.values()) for (const { name } of state.columns) names.add(name);
    if (allColumns) for (const { name } of mapped.table.columns) names.add(name);
    this.columnNames = [...names];
    this.plan = new RowPlan(mapped, this.columnNames);
  }

  /**
   * The properties that differ; empty when row and object say the same. `replica` tells which links lead nowhere.
   * Throws `DataError` when no realm value can hold what the row says.
   */
  differences(
    key: PrimaryKey,
    row: readonly SqlText[],
    object: ObjectState,
    replica: ReplicaReader,
  ): PropertyDifference[] {
    const found: PropertyDifference[] = [];
    for (const { index, mapped } of this.plan.columns) {
      const text = row[index] ?? null;
      const value = realmValueOf(this.mapped, mapped, text);
      const held = readField(object, mapped.property, mapped.definition);
      if (isScalarState(held) && sameValue(held, value)) continue;
      if (value.type === 'null' && leadsNowhere(held, replica)) continue;
      found.push(this.shown(mapped.property, text, held));
    }
    for (const { indexes, mapped } of this.plan.states) {
      const texts = indexes.map((index) => row[index] ?? null);
      const value = mapped.toRealm(texts);
      const writes: Instruction[] = [];
      captureState(this.mapped.className, key, mapped, object, value, writes);
      if (writes.length === 0) continue;
      const held = readField(object, mapped.property, mapped.definition);
      if (value.type === 'null' && leadsNowhere(held, replica)) continue;
      found.push(this.shown(mapped.property, joined(texts), held));
    }
    return found;
  }

  /** Both sides of a difference, as far as they may be shown. */
  shown(property: string, sql: SqlText, held: StateValue): PropertyDifference {
    const realm = valueText(held);
    const hide = this.#secrets.has(`${this.mapped.className}.${property}`);
    const show = (text: string | null): string | null => {
      if (text === null) return null;
      return hide ? SECRET : shortened(text);
    };
    return { property, sql: show(sql), realm: show(realm) };
  }

  /** Throws `DataError` when no realm value can hold what the row says. */
  requireReadable(row: readonly SqlText[]): void {
    for (const { index, mapped } of this.plan.columns) realmValueOf(this.mapped, mapped, row[index] ?? null);
    for (const { indexes, mapped } of this.plan.states)
      mapped.toRealm(indexes.map((index) => row[index] ?? null));
  }
}

/** Whether a collection agrees with its rows. An item whose target is gone stays in the realm's list,
 * where no reader sees it, and may or may not have a row. Throws `DataError`.
 */
export function sameSide(
  side: Side,
  rows: readonly SideRow[],
  object: ObjectState,
  replica: ReplicaReader,
): boolean {
  const held = readField(object, side.property, side.definition);
  const value = side.toRealm(rows, held);
  return sameState(held, value) || sameState(visible(held, replica), visible(value, replica));
}

/** The rows of a collection as one text. */
export function sideText(rows: readonly SideRow[]): string {
  return JSON.stringify(rows.map((row) => (row.length === 1 ? row[0] : row)));
}

/** A list without the links that lead nowhere. */
function visible(value: StateValue, replica: ReplicaReader): StateValue {
  if (value.type !== 'list') return value;
  return { type: 'list', items: value.items.filter((item) => !leadsNowhere(item, replica)) };
}

/** A link to an object that is not there reads as null. */
function leadsNowhere(value: StateValue, replica: ReplicaReader): boolean {
  return value.type === 'link' && replica.object(value.table, value.key) === undefined;
}

function joined(texts: readonly SqlText[]): SqlText {
  if (texts.length === 1) return texts[0] ?? null;
  return texts.every((text) => text === null) ? null : texts.map((text) => text ?? 'NULL').join(', ');
}
