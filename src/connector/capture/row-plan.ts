/** Which position of a feed or snapshot row belongs to which property; made once per table layout. */
import type { PrimaryKey, ScalarValue } from '../../schema/value.ts';
import type { StateValue } from '../../store/state/object-state.ts';
import { type FeedValue, type SqlText, UNCHANGED } from '../dialect.ts';
import { DataError } from '../errors.ts';
import type { ClassMapping, MappedColumn, MappedState } from '../mapping/class-mapping.ts';
import type { RowProperties } from '../options.ts';

export type PlannedColumn = { readonly index: number; readonly mapped: MappedColumn };
export type PlannedState = { readonly indexes: readonly number[]; readonly mapped: MappedState };
/** A column in which a property, or a part of one, stands. */
export type HeldColumn = { readonly index: number; readonly name: string };

export class RowPlan {
  readonly mapping: ClassMapping;
  readonly columns: readonly PlannedColumn[];
  readonly states: readonly PlannedState[];
  readonly held: readonly HeldColumn[];
  /** Names of all columns of the rows, mapped or not. */
  readonly names: readonly string[];
  /** How many columns at the end the feed never shows. */
  readonly unfed: number;
  readonly #keyIndexes: readonly number[];

  /** `names` are the column names of the rows, in order. Throws `DataError` when a key column is not among them. */
  constructor(mapping: ClassMapping, names: readonly string[], unfed = 0) {
    this.mapping = mapping;
    this.names = names;
    this.unfed = unfed;
    this.#keyIndexes = mapping.key.columns.map((column) => {
      const index = names.indexOf(column);
      if (index >= 0) return index;
      throw new DataError(`table ${mapping.table.table.name} no longer has its key column ${column}`, {
        remedy: `mend the key of class ${mapping.className} in the models and restart`,
      });
    });
    const columns: PlannedColumn[] = [];
    for (const mapped of mapping.properties.values()) {
      const index = names.indexOf(mapped.column.name);
      if (index >= 0) columns.push({ index, mapped });
    }
    this.columns = columns;
    this.states = [...mapping.states.values()]
      .map((mapped) => ({ indexes: mapped.columns.map(({ name }) => names.indexOf(name)), mapped }))
      .filter(({ indexes }) => !indexes.includes(-1));
    this.held = [
      ...columns.map(({ index, mapped }) => ({ index, name: mapped.column.name })),
      ...this.states.flatMap(({ indexes, mapped }) =>
        mapped.columns.map(({ name }, part) => ({ index: indexes[part]!, name })),
      ),
    ];
  }

  /** For rows of the feed, whose columns are `names`; {@link complete} adds those that it never shows. */
  static forFeed(mapping: ClassMapping, names: readonly string[]): RowPlan {
    const unfed = mapping.table.columns.filter(
      (column) => column.unfed === true && !names.includes(column.name),
    );
    return new RowPlan(mapping, [...names, ...unfed.map(({ name }) => name)], unfed.length);
  }

  /** A row of the feed with a place for every column. */
  complete(row: readonly FeedValue[]): readonly FeedValue[] {
    return this.unfed === 0 ? row : [...row, ...Array<typeof UNCHANGED>(this.unfed).fill(UNCHANGED)];
  }

  /** Throws `DataError` when a key column has no text. */
  keyTexts(row: readonly FeedValue[]): string[] {
    return this.#keyIndexes.map((index) => {
      const text = row[index];
      if (typeof text === 'string') return text;
      throw new DataError(`a row of ${this.mapping.table.table.name} came without its key`, {
        remedy: 'give the table a primary key of NOT NULL columns and REPLICA IDENTITY DEFAULT or FULL',
      });
    });
  }

  key(row: readonly FeedValue[]): PrimaryKey {
    return this.mapping.key.toRealm(this.keyTexts(row));
  }

  /** The row as functions of the configuration see it; what the feed left out is absent. */
  properties(row: readonly FeedValue[]): RowProperties {
    const properties: Record<string, unknown> = {};
    this.names.forEach((name, index) => {
      const value = row[index];
      if (value !== UNCHANGED) properties[name] = value ?? null;
    });
    return properties;
  }

  hasUnchanged(row: readonly FeedValue[]): boolean {
    return this.held.some(({ index }) => row[index] === UNCHANGED);
  }
}

const NULL_VALUE: ScalarValue = { type: 'null' };

/**
 * One column's text as the property's value. Throws `DataError` naming table, column and class when the text does not
 * fit or NULL meets a required property.
 */
export function realmValueOf(mapping: ClassMapping, mapped: MappedColumn, text: string | null): ScalarValue {
  if (text !== null) return mapped.codec.toRealm(text);
  if (mapped.definition.nullable) return NULL_VALUE;
  throw new DataError(
    `column ${mapping.table.table.name}.${mapped.column.name} is NULL, but property ${mapping.className}.${mapped.property} is required`,
    { remedy: `declare ${mapping.className}.${mapped.property} optional in the models` },
  );
}

/** The value of a property that is more than a scalar; undefined when the feed left out a part of it. Throws `DataError`. */
export function realmStateOf(
  { indexes, mapped }: PlannedState,
  row: readonly FeedValue[],
): StateValue | undefined {
  const texts: SqlText[] = [];
  for (const index of indexes) {
    const text = row[index];
    if (text === UNCHANGED || text === undefined) return undefined;
    texts.push(text);
  }
  return mapped.toRealm(texts);
}
