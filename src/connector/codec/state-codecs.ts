/** Codecs of whole values that are made of other codecs, whatever the database. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { StateCodec, ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { asKey, type Definitions, isContainer, stateFromJson, stateToJson } from './json-states.ts';
import { type Json, parseJson } from './json-text.ts';
import { mixedFromJson, mixedToJson } from './mixed-json.ts';

/** `write` refuses what a text of the database cannot hold. */
export function documentCodec(
  definition: ColumnDefinition,
  definitions: Definitions,
  write: (json: Json) => string,
): StateCodec {
  return {
    toRealm: (text) => stateFromJson(parseJson(text), definition, definitions),
    // NULL says the same as the document null, without a document.
    toSql: (value) => (value.type === 'null' ? null : write(stateToJson(value, definition, definitions))),
  };
}

export function mixedDocumentCodec(write: (json: Json) => string): StateCodec {
  return {
    toRealm: (text) => mixedFromJson(parseJson(text)),
    toSql: (value) => (value.type === 'null' ? null : write(mixedToJson(value))),
  };
}

/** A mixed value in a document that is no collection; those are for {@link mixedDocumentCodec}. */
export function mixedScalarCodec(write: (json: Json) => string): ValueCodec {
  return {
    toRealm: (text) => {
      const value = mixedFromJson(parseJson(text));
      if (isContainer(value)) throw new DataError('the document is no single value');
      return value;
    },
    toSql: (value) => write(mixedToJson(value)),
  };
}

export function scalarState(codec: ValueCodec): StateCodec {
  return {
    toRealm: codec.toRealm,
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (isContainer(value)) throw new DataError(`a ${value.type} is no single value`);
      return codec.toSql(value);
    },
  };
}

/** `codec` is that of the target's key. */
export function linkState(codec: ValueCodec, table: string): StateCodec {
  return {
    toRealm: (text) => ({ type: 'link', table, key: asKey(codec.toRealm(text)) }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'link') throw new DataError(`a ${value.type} is no link`);
      if (value.key.type === 'globalKey')
        throw new DataError(`a link to ${table} without primary key has no form in the database`);
      return codec.toSql(value.key);
    },
  };
}
