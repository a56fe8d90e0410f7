/**
 * Codecs between a type of the database, whatever it is made of, and the whole values of a property. Undefined stands
 * for "no way between the two".
 */

import {
  type Definitions,
  keyTypeOf,
  nullElement,
  setOf,
  targetOf,
  within,
} from '../../../src/connector/codec/json-states.ts';
import { mixedScalar } from '../../../src/connector/codec/mixed-scalars.ts';
import {
  documentCodec,
  linkState,
  mixedDocumentCodec,
  scalarState,
} from '../../../src/connector/codec/state-codecs.ts';
import type { StateCodec, StoredType } from '../../../src/connector/dialect.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { ColumnDefinition } from '../../../src/schema/definition.ts';
import { NULL } from '../../../src/schema/value.ts';
import type { StateValue } from '../../../src/store/state/object-state.ts';
import { naturalScalar } from '../natural-types.ts';
import { type ArrayItem, DEFAULT_DELIMITER, formatArray, parseArray } from './array-text.ts';
import { formatHstore, parseHstore } from './hstore-text.ts';
import { recordShape } from './record-shape.ts';
import { storableJson } from './storable-text.ts';
import { JSONS, scalarCodec, TEXTS } from './value-codec.ts';

export function stateCodecOfType(
  type: StoredType,
  definition: ColumnDefinition,
  definitions: Definitions,
): StateCodec | undefined {
  if (definition.collection === 'single') return singleCodec(type, definition, definitions);
  if (JSONS.includes(type.baseType) || TEXTS.includes(type.baseType))
    return documentCodec(definition, definitions, storableJson);
  if (definition.collection === 'dictionary') return dictionaryCodec(type, definition, definitions);
  const { structure } = type;
  if (structure?.kind !== 'array') return undefined;
  const element = elementCodec(structure.element, { ...definition, collection: 'single' }, definitions);
  return element && collectionCodec(definition.collection, element, structure.element.delimiter);
}

function singleCodec(
  type: StoredType,
  definition: ColumnDefinition,
  definitions: Definitions,
): StateCodec | undefined {
  if (definition.type === 'mixed') return mixedCodec(type);
  if (definition.type !== 'link') {
    const codec = scalarCodec(typed(type), definition.type);
    return codec && scalarState(codec);
  }
  const target = targetOf(definition, definitions);
  if (target.kind !== 'embedded') {
    const codec = scalarCodec(typed(type), keyTypeOf(target));
    return codec && linkState(codec, target.name);
  }
  if (JSONS.includes(type.baseType) || TEXTS.includes(type.baseType))
    return documentCodec(definition, definitions, storableJson);
  const fields = recordFields(
    type,
    (name) => {
      const column = target.columns.get(name);
      return column && { ...column };
    },
    definitions,
  );
  if (fields === undefined || fields.size !== target.columns.size) return undefined;
  return {
    toRealm: (text) => ({ type: 'object', fields: readFields(type, fields, text) }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'object') throw new DataError(`a ${value.type} is no ${target.name}`);
      return writeFields(type, fields, value.fields);
    },
  };
}

/** Columns that are typed without length and name are the same to a scalar's codec. */
function typed(type: StoredType): { baseType: string; storage: StoredType } {
  return { baseType: type.baseType, storage: type };
}

/** An element of an array: like a single value, and NULL where the definition allows it. */
type ElementCodec = {
  readonly toRealm: (item: ArrayItem) => StateValue;
  readonly toSql: (value: StateValue) => ArrayItem;
};

function elementCodec(
  type: StoredType,
  definition: ColumnDefinition,
  definitions: Definitions,
): ElementCodec | undefined {
  const codec = singleCodec(type, definition, definitions);
  if (codec === undefined) return undefined;
  // Lists inside documents would be taken for further dimensions.
  const nests = definition.type === 'mixed' && !JSONS.includes(type.baseType);
  const element: ElementCodec = {
    toRealm: (item) => {
      if (item === null) return nullElement(definition);
      if (typeof item === 'string') return codec.toRealm(item);
      if (nests) return { type: 'list', items: item.map(element.toRealm) };
      throw new DataError('the array has more than one dimension', {
        remedy: "declare the property as 'mixed', as a list of mixed, or as string",
      });
    },
    toSql: (value) => {
      if (value.type === 'list' && nests) return value.items.map(element.toSql);
      return codec.toSql(value);
    },
  };
  return element;
}

function collectionCodec(
  kind: 'list' | 'set',
  element: ElementCodec,
  delimiter: string = DEFAULT_DELIMITER,
): StateCodec {
  return {
    toRealm: (text) => {
      const items = parseArray(text, delimiter).map((item, index) =>
        within(`element ${index + 1}`, () => element.toRealm(item)),
      );
      return kind === 'list' ? { type: 'list', items } : setOf(items);
    },
    toSql: (value) => {
      if (value.type !== 'list' && value.type !== 'set') throw new DataError(`a ${value.type} is no ${kind}`);
      return formatArray([...value.items.values()].map(element.toSql), delimiter);
    },
  };
}

function mixedCodec(type: StoredType): StateCodec | undefined {
  if (JSONS.includes(type.baseType)) return mixedDocumentCodec(storableJson);
  const definition: ColumnDefinition = { type: 'mixed', nullable: true, collection: 'single' };
  if (type.structure?.kind === 'array') {
    const element = elementCodec(type.structure.element, definition, new Map());
    return element && collectionCodec('list', element, type.structure.element.delimiter);
  }
  if (recordShape(type) !== undefined || type.baseType === 'hstore')
    return dictionaryCodec(type, { ...definition, collection: 'dictionary' }, new Map());
  const natural = naturalScalar(type.baseType);
  const codec = scalarCodec(typed(type), natural);
  return codec && scalarState(mixedScalar(codec, natural));
}

function dictionaryCodec(
  type: StoredType,
  definition: ColumnDefinition,
  definitions: Definitions,
): StateCodec | undefined {
  const single: ColumnDefinition = { ...definition, collection: 'single' };
  if (type.baseType === 'hstore') {
    const codec = singleCodec({ type: 'text', baseType: 'text' }, single, definitions);
    return codec && hstoreCodec(codec, single);
  }
  const fields = recordFields(type, () => single, definitions);
  if (fields === undefined) return undefined;
  return {
    toRealm: (text) => ({ type: 'dictionary', entries: readFields(type, fields, text) }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'dictionary') throw new DataError(`a ${value.type} is no dictionary`);
      return writeFields(type, fields, value.entries);
    },
  };
}

function hstoreCodec(codec: StateCodec, definition: ColumnDefinition): StateCodec {
  return {
    toRealm: (text) => {
      const entries = new Map<string, StateValue>();
      for (const [name, value] of parseHstore(text)) {
        entries.set(
          name,
          within(name, () => (value === null ? nullElement(definition) : codec.toRealm(value))),
        );
      }
      return { type: 'dictionary', entries };
    },
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'dictionary') throw new DataError(`a ${value.type} is no dictionary`);
      const pairs = new Map<string, string | null>();
      for (const [name, entry] of value.entries) pairs.set(requireName(name), codec.toSql(entry));
      return formatHstore(pairs);
    },
  };
}

function requireName(name: string): string {
  if (name.includes('\0') || !name.isWellFormed())
    throw new DataError(`PostgreSQL cannot hold the key ${JSON.stringify(name)}`);
  return name;
}

type Fields = ReadonlyMap<string, { readonly definition: ColumnDefinition; readonly codec: StateCodec }>;

/** In the order of the record; undefined when a field has no definition or no way to its. */
function recordFields(
  type: StoredType,
  definitionOf: (name: string) => ColumnDefinition | undefined,
  definitions: Definitions,
): Fields | undefined {
  const shape = recordShape(type);
  if (shape === undefined) return undefined;
  const fields = new Map<string, { definition: ColumnDefinition; codec: StateCodec }>();
  for (const field of shape.fields) {
    const definition = definitionOf(field.name);
    const codec = definition && stateCodecOfType(field.type, definition, definitions);
    if (definition === undefined || codec === undefined) return undefined;
    fields.set(field.name, { definition, codec });
  }
  return fields;
}

function readFields(type: StoredType, fields: Fields, text: string): Map<string, StateValue> {
  const texts = recordShape(type)?.parse(text) ?? [];
  const values = new Map<string, StateValue>();
  let index = 0;
  for (const [name, { definition, codec }] of fields) {
    const field = texts[index] ?? null;
    index += 1;
    if (field === null && definition.collection !== 'single') continue;
    values.set(
      name,
      within(name, () => (field === null ? nullElement(definition) : codec.toRealm(field))),
    );
  }
  return values;
}

function writeFields(type: StoredType, fields: Fields, values: ReadonlyMap<string, StateValue>): string {
  for (const name of values.keys()) {
    if (!fields.has(name)) throw new DataError(`type ${type.type} has no field ${name}`);
  }
  const texts = [...fields].map(([name, { codec }]) => codec.toSql(values.get(name) ?? NULL));
  return recordShape(type)?.format(texts) ?? '';
}
