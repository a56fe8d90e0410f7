/** What is said of a column whose type has no way to the type of its property. */
import type { ColumnDefinition } from '../../schema/definition.ts';
import type { ColumnInfo } from '../dialect.ts';
import { MappingError } from '../errors.ts';
import type { OptionNames } from '../option-names.ts';

/** `allowed` are the types that the property may stand on; `otherwise` is the remedy where no list of them helps. */
export function unfitColumn(
  column: ColumnInfo,
  property: ColumnDefinition,
  allowed: readonly string[] | undefined,
  otherwise: string,
  names: Pick<OptionNames, 'valueToRealm' | 'valueToSql'>,
): MappingError {
  const kind = property.type === 'link' ? (property.linkTarget ?? 'link') : property.type;
  const what = property.collection === 'single' ? kind : `${property.collection} of ${kind}`;
  return new MappingError(
    `the column ${column.name} of type ${column.type} cannot hold a property of type ${what}`,
    {
      remedy:
        property.collection !== 'single' || allowed === undefined
          ? `${otherwise}, change the model, or name the property in realmIgnoreProperties`
          : `make the column one of ${allowed.join(', ')}, change the model, or convert with ${names.valueToRealm} and ${names.valueToSql}`,
    },
  );
}
