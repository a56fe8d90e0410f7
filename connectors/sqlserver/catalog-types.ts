/** Types as they are declared, from what the catalog has of a column. */

/** `max` in the catalog. */
const NO_LIMIT = -1;
const BYTES_PER_CHARACTER = 2;

/** `base` is the system type at the bottom of alias types; `length` is in bytes: `nvarchar(50)`, `decimal(10,2)`, `datetime2(3)`. */
export function declaredType(base: string, length: number, precision: number, scale: number): string {
  switch (base) {
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return `${base}(${length === NO_LIMIT ? 'max' : length})`;
    case 'nchar':
    case 'nvarchar':
      return `${base}(${length === NO_LIMIT ? 'max' : length / BYTES_PER_CHARACTER})`;
    case 'decimal':
    case 'numeric':
      return `${base}(${precision},${scale})`;
    case 'time':
    case 'datetime2':
    case 'datetimeoffset':
      return `${base}(${scale})`;
    default:
      return base;
  }
}
