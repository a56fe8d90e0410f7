/** Puts column and value into every error of a codec. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { ScalarValue, ValueType } from '../../schema/value.ts';
import type { ColumnInfo, StateCodec, ValueCodec } from '../dialect.ts';
import { DataError } from '../errors.ts';
import { stateExcerpt } from './state-excerpt.ts';

/** Longest excerpt of a value in an error message. */
const EXCERPT = 120;

/** NULL is NULL for every codec, and values of another type never reach it. */
export function namedCodec(column: ColumnInfo, type: ValueType, codec: ValueCodec): ValueCodec {
  return {
    toRealm: (text) => {
      try {
        return codec.toRealm(text);
      } catch (cause) {
        throw namedReading(column, text, `no ${type}`, cause);
      }
    },
    toSql: (value) => {
      if (value.type === 'null') return null;
      try {
        if (value.type !== type && type !== 'mixed') throw new DataError(`a ${value.type} is no ${type}`);
        return codec.toSql(value);
      } catch (cause) {
        throw namedWriting(column, excerpt(value), cause);
      }
    },
  };
}

export function namedStateCodec(
  column: ColumnInfo,
  property: ColumnDefinition,
  codec: StateCodec,
): StateCodec {
  const what = property.collection === 'single' ? property.type : property.collection;
  return {
    toRealm: (text) => {
      try {
        return codec.toRealm(text);
      } catch (cause) {
        throw namedReading(column, text, `no ${property.linkTarget ?? what}`, cause);
      }
    },
    toSql: (value) => {
      try {
        return codec.toSql(value);
      } catch (cause) {
        throw namedWriting(column, stateExcerpt(value), cause);
      }
    },
  };
}

function namedReading(column: ColumnInfo, text: string, what: string, cause: unknown): unknown {
  const shown = JSON.stringify(text.length > EXCERPT ? `${text.slice(0, EXCERPT)}…` : text);
  return named(cause, `column ${column.name} holds ${shown}, ${what}`);
}

function namedWriting(column: ColumnInfo, shown: string, cause: unknown): unknown {
  return named(cause, `the value ${shown} does not fit column ${column.name} (${column.type})`);
}

function named(cause: unknown, what: string): unknown {
  if (!(cause instanceof DataError)) return cause;
  return new DataError(`${what}: ${cause.message}`, { cause });
}

function excerpt(value: ScalarValue): string {
  const text = 'value' in value ? String(value.value) : value.type;
  return JSON.stringify(text.slice(0, EXCERPT));
}
