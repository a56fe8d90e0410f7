/**
 * Values that the feed left out because a statement did not change them (large values kept apart by the database).
 * They are the object's own, when a realm holds it under this or its former key; else the database is asked.
 */
import type { PrimaryKey } from '../../schema/value.ts';
import type { ObjectState, StateValue } from '../../store/state/object-state.ts';
import { isScalarState } from '../apply/net-effect.ts';
import { type FeedValue, type SourceDialect, type SqlText, UNCHANGED } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { MappedState } from '../mapping/class-mapping.ts';
import type { SyncedRealm } from '../realms.ts';
import type { RowPlan } from './row-plan.ts';
import type { RowEffect } from './transaction-buffer.ts';

export type Holders = (className: string, key: PrimaryKey) => readonly SyncedRealm[];

export class LeftOutValues {
  readonly #dialect: Pick<SourceDialect, 'fetchRows'>;
  readonly #holders: Holders;
  readonly #isStale: (className: string) => boolean;
  readonly #fetched = new Map<string, readonly SqlText[]>();

  /** `isStale` says of a class that what the realms hold of it may be out of date, so that the database is asked. */
  constructor(
    dialect: Pick<SourceDialect, 'fetchRows'>,
    holders: Holders,
    isStale: (className: string) => boolean = () => false,
  ) {
    this.#dialect = dialect;
    this.#holders = holders;
    this.#isStale = isStale;
  }

  /** Asks the database for rows whose object no realm holds; they are remembered until {@link forget}. */
  async fetch(rows: Iterable<{ readonly plan: RowPlan; readonly row: readonly FeedValue[] }>): Promise<void> {
    const wanted = new Map<RowPlan, string[][]>();
    for (const { plan, row } of rows) {
      if (!plan.hasUnchanged(row)) continue;
      const keyTexts = plan.keyTexts(row);
      // What the feed never shows may have changed with every row.
      const mayBeStale = plan.unfed > 0 || this.#isStale(plan.mapping.className);
      if (!mayBeStale && this.#object(plan, keyTexts) !== undefined) continue;
      const keys = wanted.get(plan);
      if (keys === undefined) wanted.set(plan, [keyTexts]);
      else keys.push(keyTexts);
    }
    for (const [plan, keys] of wanted) {
      const { key, table } = plan.mapping;
      const names = [...key.columns, ...plan.held.map(({ name }) => name)];
      for (const row of await this.#dialect.fetchRows(table, names, keys, key.columns)) {
        const keyTexts = row.slice(0, key.columns.length).map((text) => text ?? '');
        this.#fetched.set(token(plan, keyTexts), row.slice(key.columns.length));
      }
    }
  }

  forget(): void {
    this.#fetched.clear();
  }

  /** The row with every value that can be had; what cannot stays out. */
  complete({ plan, keyTexts, row = [], movedFrom }: RowEffect): readonly FeedValue[] {
    if (!row.includes(UNCHANGED)) return row;
    const complete = [...row];
    const fetched = this.#fetched.get(token(plan, keyTexts));
    if (fetched !== undefined) {
      plan.held.forEach(({ index }, position) => {
        if (complete[index] === UNCHANGED) complete[index] = fetched[position] ?? null;
      });
      return complete;
    }
    const object = this.#object(plan, movedFrom ?? keyTexts);
    if (object !== undefined) fillFrom(object, plan, complete);
    return complete;
  }

  #object(plan: RowPlan, keyTexts: readonly string[]) {
    const { className, key } = plan.mapping;
    const identity = key.toRealm(keyTexts);
    for (const realm of this.#holders(className, identity)) {
      const object = realm.replica.object(className, identity);
      if (object !== undefined) return object;
    }
    return undefined;
  }
}

function token(plan: RowPlan, keyTexts: readonly string[]): string {
  return `${plan.mapping.className}\0${keyTexts.join('\0')}`;
}

/** The texts of an object's values in place of those that the feed left out. */
function fillFrom(object: ObjectState, plan: RowPlan, complete: FeedValue[]): void {
  for (const { index, mapped } of plan.columns) {
    const value = object.fields.get(mapped.property);
    if (complete[index] !== UNCHANGED || value === undefined || !isScalarState(value)) continue;
    if (mapped.lookup === undefined) complete[index] = mapped.codec.toSql(value);
  }
  for (const { indexes, mapped } of plan.states) {
    const value = object.fields.get(mapped.property);
    if (value === undefined || !indexes.some((index) => complete[index] === UNCHANGED)) continue;
    const texts = textsOf(value, mapped);
    indexes.forEach((index, part) => {
      if (complete[index] === UNCHANGED)
        complete[index] = texts === undefined ? UNCHANGED : (texts[part] ?? null);
    });
  }
}

/** A value that no column can hold never came from this row; what the row holds stays unknown. */
function textsOf(value: StateValue, mapped: MappedState): readonly FeedValue[] | undefined {
  try {
    return mapped.toSql(value);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
