/** Converts some rows there and back, so that hooks that throw and values that do not fit show before a load. */
import type { SqlText } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { type Finding, problem, warning } from '../finding.ts';
import type { ClassMapping, MappedColumn, MappedState } from '../mapping/class-mapping.ts';
import type { OptionNames } from '../option-names.ts';

/** Rows of each table that are converted for a try. */
export const SAMPLE_ROWS = 20;

/** The columns that rows for {@link valueFindings} must have, in their order. */
export function sampledColumns(mapped: ClassMapping): readonly string[] {
  const { keys, properties, states } = sampled(mapped);
  return [
    ...keys,
    ...properties.map(({ column }) => column.name),
    ...states.flatMap((state) => state.columns.map(({ name }) => name)),
  ];
}

/** At most one for each property. */
export function valueFindings(
  mapped: ClassMapping,
  rows: readonly (readonly SqlText[])[],
  names: OptionNames,
): readonly Finding[] {
  const { keys, properties, states } = sampled(mapped);
  const found = new Map<string, Finding>();
  for (const row of rows) {
    const at = keys.map((_key, index) => row[index] ?? 'NULL').join('-');
    const look = (property: string, convert: () => void): void => {
      const finding = conversion(`${mapped.className}.${property}`, at, convert, names);
      if (finding !== undefined && !found.has(property)) found.set(property, finding);
    };
    if (mapped.key.row === undefined)
      look(mapped.definition.primaryKey?.field ?? '', () => {
        mapped.key.toRealm(keys.map((_key, index) => row[index] ?? ''));
      });
    let place = keys.length;
    for (const { property, codec, column } of properties) {
      const text = row[place];
      place += 1;
      if (text == null) continue;
      look(property, () => {
        const value = codec.toRealm(text);
        if (!column.readOnly) codec.toSql(value);
      });
    }
    for (const { property, columns, toRealm, toSql } of states) {
      const texts = row.slice(place, place + columns.length);
      place += columns.length;
      look(property, () => {
        toSql(toRealm(texts));
      });
    }
  }
  return [...found.values()];
}

type Sampled = {
  readonly keys: readonly string[];
  readonly properties: readonly MappedColumn[];
  readonly states: readonly MappedState[];
};

/** Links to keys that the database makes are left out: what they mean is known to a running connector only. */
function sampled(mapped: ClassMapping): Sampled {
  return {
    keys: mapped.key.columns,
    properties: [...mapped.properties.values()].filter(({ lookup }) => lookup === undefined),
    states: [...mapped.states.values()],
  };
}

function conversion(
  what: string,
  key: string,
  convert: () => void,
  { valueToRealm, valueToSql }: OptionNames,
): Finding | undefined {
  try {
    convert();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof DataError) {
      return warning(
        'tables/values',
        `${what} of the row with key ${key} has no value in the realm: ${reason}`,
        `correct the row, choose another type in the model, or convert it with ${valueToRealm}`,
      );
    }
    return problem(
      'tables/values',
      `a conversion function throws for ${what} of the row with key ${key}: ${reason}`,
      `correct ${valueToRealm} or ${valueToSql}`,
    );
  }
}
