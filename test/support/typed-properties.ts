/** Properties in a short notation, with the classes that they may name, and values that can be compared. */
import type { ClassDefinition, ColumnDefinition } from '../../src/schema/definition.ts';
import type { ValueType } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import { valueToken } from '../../src/store/state/value-token.ts';

const column = (type: ValueType, rest: Partial<ColumnDefinition> = {}): ColumnDefinition => ({
  type,
  nullable: true,
  collection: 'single',
  ...rest,
});

function embedded(
  name: string,
  columns: Readonly<Record<string, ColumnDefinition>>,
): [string, ClassDefinition] {
  return [name, { name, kind: 'embedded', columns: new Map(Object.entries(columns)) }];
}

export const DEFINITIONS: ReadonlyMap<string, ClassDefinition> = new Map([
  embedded('Place', { street: column('string'), No: column('int'), since: column('date') }),
  embedded('Site', {
    label: column('string'),
    at: column('link', { linkTarget: 'Place' }),
    codes: column('int', { collection: 'list' }),
  }),
  embedded('Span', {
    lower: column('int'),
    upper: column('int'),
    bounds: column('string', { nullable: false }),
  }),
  [
    'Dog',
    {
      name: 'Dog',
      kind: 'topLevel',
      primaryKey: { field: '_id', type: 'int', nullable: false },
      columns: new Map(),
    },
  ],
  [
    'Tag',
    {
      name: 'Tag',
      kind: 'topLevel',
      primaryKey: { field: '_id', type: 'uuid', nullable: false },
      columns: new Map(),
    },
  ],
]);

const NOTATION = /^(?<type>\w+)(?<collection>\[\]|<>|\{\})?(?<required>!)?$/;
const COLLECTIONS = { '[]': 'list', '<>': 'set', '{}': 'dictionary' } as const;

/** `int`, `int[]`, `string<>`, `mixed{}`, `Place`, `Place[]`; elements may be null unless `!` follows. */
export function propertyOf(notation: string): ColumnDefinition {
  const { type = '', collection, required } = NOTATION.exec(notation)?.groups ?? {};
  const kind = collection === undefined ? 'single' : COLLECTIONS[collection as keyof typeof COLLECTIONS];
  const target = DEFINITIONS.get(type);
  const nullable = required === undefined && !(target !== undefined && kind === 'list');
  return target === undefined
    ? { type: type as ValueType, nullable, collection: kind }
    : { type: 'link', nullable, collection: kind, linkTarget: type };
}

/** Equal for equal values: decimals and floats by number, sets without order. */
export function stateToken(value: StateValue): string {
  switch (value.type) {
    case 'list':
      return `[${value.items.map(stateToken).join(', ')}]`;
    case 'set':
      return `<${[...value.items.keys()].sort().join(', ')}>`;
    case 'dictionary':
      return `{${tokens(value.entries)}}`;
    case 'object':
      return `(${tokens(new Map([...value.fields].filter(([, field]) => !isDefault(field))))})`;
    default:
      return valueToken(value);
  }
}

/** A field that is not there reads as this. */
function isDefault(value: StateValue): boolean {
  return value.type === 'null' || (value.type === 'list' && value.items.length === 0);
}

function tokens(entries: ReadonlyMap<string, StateValue>): string {
  const members = [...entries].map(([name, entry]) => `${JSON.stringify(name)}: ${stateToken(entry)}`);
  return members.sort().join(', ');
}
