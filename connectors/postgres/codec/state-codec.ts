/** Codecs of properties that one column holds as a whole: collections, embedded objects and mixed values. */
import { namedStateCodec } from '../../../src/connector/codec/named-codecs.ts';
import type { ColumnInfo, StateCodec, StoredType } from '../../../src/connector/dialect.ts';
import type { ClassDefinition, ColumnDefinition } from '../../../src/schema/definition.ts';
import { stateCodecOfType } from './type-states.ts';
import { noWay } from './value-codec.ts';

/**
 * Arrays, composites, ranges, hstore and JSON (also as text); docs/postgres-types.md says what each can hold. Throws
 * `MappingError` when the two types have no way to each other.
 */
export function stateCodecFor(
  column: ColumnInfo,
  property: ColumnDefinition,
  definitions: ReadonlyMap<string, ClassDefinition>,
): StateCodec {
  const codec = stateCodecOfType(storedType(column), property, definitions);
  if (codec === undefined) throw noWay(column, property);
  return namedStateCodec(column, property, codec);
}

/** What the type is made of; from its name alone when the catalog was not asked. */
function storedType(column: ColumnInfo): StoredType {
  const { type, baseType, storage } = column;
  // A type that is made of others stays that, whatever the configuration has it treated as.
  if (storage !== undefined) return storage.structure === undefined ? { ...storage, baseType } : storage;
  if (!baseType.startsWith('_')) return { type, baseType };
  const element = { type: type.replace(/\[\]$/, ''), baseType: baseType.slice(1) };
  return { type, baseType, structure: { kind: 'array', element, dimensions: 1 } };
}
