/** Links as the texts of columns: the key of the target, or the key that the database made for the target's row. */
import { NULL, type PrimaryKey } from '../../schema/value.ts';
import { type ColumnInfo, type KeyLookup, type TableInfo, tableId, type ValueCodec } from '../dialect.ts';
import { DataError, MappingError } from '../errors.ts';
import type { KeyMapping } from './class-mapping.ts';

/** `lookup` is that of `MappedColumn`. */
export type LinkCodec = ValueCodec & { readonly lookup?: KeyLookup };

/**
 * A foreign key column as a link. `column` is absent where parts of compound keys are joined into one text; `table` is
 * that of the column, whose foreign keys say what the column holds.
 */
export function linkCodec(
  target: string,
  key: KeyMapping | undefined,
  className: string,
  property: string,
  column: ColumnInfo | undefined,
  table?: TableInfo,
): LinkCodec {
  if (key === undefined)
    throw new MappingError(`link ${className}.${property}: class ${target} is not in the models`);
  if (key.columns.length > 1 && column !== undefined) {
    throw new MappingError(
      `link ${className}.${property} points to ${target}, which is keyed by (${key.columns.join(', ')}); column ${column.name} cannot hold that`,
      {
        remedy: `give the table the columns ${key.columns.map((part) => `${property}_${part}`).join(', ')} and a foreign key over them, or name '${className}.${property}' in realmIgnoreProperties`,
      },
    );
  }
  if (holdsRowKey(key, column, table, `${className}.${property}`))
    return rowLink(target, key, className, property);
  return {
    toRealm: (text) => ({
      type: 'link',
      table: target,
      key: key.columns.length > 1 ? { type: 'string', value: text } : key.toRealm([text]),
    }),
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'link')
        throw new DataError(`${className}.${property} holds a ${value.type} instead of a link`);
      return keyText(key, value.key);
    },
  };
}

/** Reads the key of the target's row and writes that of its object, which the writer looks up. */
function rowLink(target: string, key: KeyMapping, className: string, property: string): LinkCodec {
  const { row } = key;
  if (row === undefined) throw new MappingError(`class ${target} has no key made by the database`);
  return {
    lookup: row.lookup,
    toRealm: (text) => {
      const object = row.keyOf(text);
      return object === undefined ? NULL : { type: 'link', table: target, key: object };
    },
    toSql: (value) => {
      if (value.type === 'null') return null;
      if (value.type !== 'link')
        throw new DataError(`${className}.${property} holds a ${value.type} instead of a link`);
      return keyText(key, value.key);
    },
  };
}

/**
 * Whether a column holds the key that the database makes for rows, not the key of the class: as its foreign key says;
 * without one as its type does, and in doubt the table's primary key is meant.
 */
function holdsRowKey(
  key: KeyMapping,
  column: ColumnInfo | undefined,
  table: TableInfo | undefined,
  property: string,
): boolean {
  const foreignKey =
    column === undefined
      ? undefined
      : table?.foreignKeys.find(({ columns }) => columns.length === 1 && columns[0] === column.name);
  const referenced = foreignKey?.referencedColumns[0];
  if (foreignKey === undefined || referenced === undefined) {
    if (key.row === undefined) return false;
    const { table: other, by } = key.row.lookup;
    const typeOf = (name: string) => other.columns.find((candidate) => candidate.name === name)?.baseType;
    const isKeyOfClass = column !== undefined && column.baseType === typeOf(by);
    return !isKeyOfClass || typeOf(by) === typeOf(key.row.column);
  }
  if (referenced === key.row?.column) return true;
  if (key.columns.length > 1 || referenced === key.columns[0]) return false;
  throw new MappingError(
    `link ${property}: the foreign key ${foreignKey.name} refers to ${tableId(foreignKey.referenced)}.${referenced}, which is no key of the class (${key.columns.join(', ')})`,
    {
      remedy:
        'declare the property with the type of the column, make that column the primaryKey of the class it refers to, or let the foreign key refer to the primary key',
    },
  );
}

/** Keys of several columns stand in tables of collections as they do in the realm. */
function keyText(key: KeyMapping, value: PrimaryKey): string {
  const texts = key.toSql(value); // refuses keys that no row can have
  return texts.length > 1 && value.type === 'string' ? value.value : (texts[0] ?? '');
}
