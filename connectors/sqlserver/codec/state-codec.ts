/** Codecs of properties that one column holds as a whole: collections, embedded objects and mixed values. */
import { type Definitions, keyTypeOf, targetOf } from '../../../src/connector/codec/json-states.ts';
import { jsonText } from '../../../src/connector/codec/json-text.ts';
import { namedStateCodec } from '../../../src/connector/codec/named-codecs.ts';
import {
  documentCodec,
  linkState,
  mixedDocumentCodec,
  scalarState,
} from '../../../src/connector/codec/state-codecs.ts';
import type { ColumnInfo, StateCodec } from '../../../src/connector/dialect.ts';
import type { ClassDefinition, ColumnDefinition } from '../../../src/schema/definition.ts';
import { type SqlType, sqlTypeOf } from '../sql-type.ts';
import { storedDocument } from './stored-text.ts';
import { holdsDocuments, noWay, scalarCodec, TEXTS } from './value-codec.ts';

/**
 * Documents in JSON, in columns of characters; docs/sqlserver-types.md says what they hold. Throws `MappingError` when the
 * two types have no way to each other.
 */
export function stateCodecFor(
  column: ColumnInfo,
  property: ColumnDefinition,
  definitions: ReadonlyMap<string, ClassDefinition>,
): StateCodec {
  const codec = stateCodecOf(sqlTypeOf(column), property, definitions);
  if (codec === undefined) throw noWay(column, property);
  return namedStateCodec(column, property, codec);
}

function stateCodecOf(
  type: SqlType,
  property: ColumnDefinition,
  definitions: Definitions,
): StateCodec | undefined {
  if (property.collection !== 'single') return documents(type, property, definitions);
  if (property.type === 'mixed' && holdsDocuments(type))
    return mixedDocumentCodec((json) => storedDocument(jsonText(json), type));
  if (property.type !== 'link') {
    const codec = scalarCodec(type, property.type);
    return codec && scalarState(codec);
  }
  const target = targetOf(property, definitions);
  if (target.kind === 'embedded') return documents(type, property, definitions);
  const codec = scalarCodec(type, keyTypeOf(target));
  return codec && linkState(codec, target.name);
}

/** In any column of characters: one that is too short says so when a document is. */
function documents(
  type: SqlType,
  property: ColumnDefinition,
  definitions: Definitions,
): StateCodec | undefined {
  if (!TEXTS.includes(type.name) && type.name !== 'json') return undefined;
  return documentCodec(property, definitions, (json) => storedDocument(jsonText(json), type));
}
