/** Links as texts of foreign key columns. */
import type { PrimaryKey } from '../../schema/value.ts';
import type { ColumnInfo, ValueCodec } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import type { KeyMapping } from './class-mapping.ts';

/**
 * A foreign key column as a link: its text is the target's key. A target with a compound key has no single column to
 * stand in and is refused.
 */
export function linkCodec(
  target: string,
  key: KeyMapping | undefined,
  className: string,
  property: string,
  column: ColumnInfo | undefined,
): ValueCodec {
  if (key === undefined)
    throw new MappingError(`link ${className}.${property}: class ${target} is not in the models`);
  if (key.columns.length > 1 && column !== undefined) {
    throw new MappingError(
      `link ${className}.${property} points to ${target}, which is keyed by (${key.columns.join(', ')}); column ${column.name} cannot hold that`,
      { remedy: 'name the property in realmIgnoreProperties' },
    );
  }
  return {
    toRealm: (text) => ({ type: 'link', table: target, key: key.toRealm([text]) }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'link')
        throw new DataError(`${className}.${property} holds a ${value.type} instead of a link`);
      return keyText(key, value.key);
    },
  };
}

function keyText(key: KeyMapping, value: PrimaryKey): string {
  return key.toSql(value).join('-');
}
