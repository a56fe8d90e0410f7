/** What columns, variables and parameters do with a value: implicit conversion, and no silent cutting in columns. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { varcharBytes } from './code-page.ts';
import { type ConversionContext, convertDatum } from './convert.ts';
import { isBinary, isCharacter, isUnicode } from './families.ts';

export type AssignmentTarget = {
  /** As messages show it: `database.schema.table`. */
  readonly table: string;
  readonly column: string;
  readonly collation: string;
};

/** Characters of the value that the message shows. */
const SHOWN_CHARACTERS = 100;

/** The value as the column stores it. Throws 2628 for what would be cut; trailing spaces may be. */
export function assignDatum(
  value: Datum,
  from: SqlType,
  to: SqlType,
  target: AssignmentTarget,
  context: ConversionContext,
): Datum {
  if (value === null) return null;
  const local: ConversionContext = { ...context, collation: target.collation, style: undefined };
  if (isCharacter(to) && to.length !== 'max' && typeof value === 'string' && isCharacter(from)) {
    const unlimited: SqlType = { kind: isUnicode(to) ? 'nvarchar' : 'varchar', length: 'max' };
    const whole = convertDatum(value, from, unlimited, local) as string;
    const size = isUnicode(to) ? whole.length : varcharBytes(whole, target.collation);
    if (size > to.length && whole.slice(to.length).trimEnd() !== '')
      throw truncated(target, whole.slice(0, to.length));
    return convertDatum(whole, unlimited, to, local);
  }
  if (isBinary(to) && to.length !== 'max' && value instanceof Uint8Array && value.length > to.length)
    throw truncated(target, '');
  return convertDatum(value, from, to, local);
}

function truncated(target: AssignmentTarget, kept: string): SqlFailure {
  const shown = kept.slice(0, SHOWN_CHARACTERS);
  const message = `String or binary data would be truncated in table '${target.table}', column '${target.column}'. Truncated value: '${shown}'.`;
  return new SqlFailure(2628, message, { line: LINE_OF_STATEMENT });
}
