/** Conversion of a value from one type to another, as CAST and CONVERT do it. */
import type { Datum, SqlType, SqlValue } from '../../contract.ts';
import { type ConversionContext, notAllowed } from './conversion-context.ts';
import { canConvert } from './conversion-rules.ts';
import { isBinary, isDateOrTime, isNumeric, isText } from './families.ts';
import { guidText, parseGuid } from './guid.ts';
import { parseHierarchy } from './hierarchyid.ts';
import { toBinary } from './to-binary.ts';
import { toDate } from './to-date.ts';
import { toNumber } from './to-number.ts';
import { toText } from './to-text.ts';
import { normalizeXml } from './xml.ts';

export type { ConversionContext } from './conversion-context.ts';
export { canConvert, checkExplicit, checkImplicit } from './conversion-rules.ts';

/** Style of conversions to xml. */
const KEEPS_BLANKS = 1;

/**
 * `value` of the type `from` as one of the type `to`. Strings that are too long are cut; see `assign.ts` for what
 * columns do. Throws 245, 8114, 8115, 220, 232, 241, 242 … as SQL Server does.
 */
export function convertDatum(value: Datum, from: SqlType, to: SqlType, context: ConversionContext): Datum {
  if (value === null) return null;
  if (sameType(from, to)) return value;
  return convertValue(value, from, to, context);
}

/** Whether a value needs no conversion at all. */
function sameType(from: SqlType, to: SqlType): boolean {
  if (from === to) return true;
  if (from.kind !== to.kind) return false;
  if ('length' in from && 'length' in to) {
    // Values of char types are padded; those of varying ones fit whenever the target is no shorter.
    if (from.kind === 'nvarchar' || from.kind === 'varbinary')
      return 'length' in to && (to.length === 'max' || (from.length !== 'max' && from.length <= to.length));
    return false;
  }
  if (from.kind === 'decimal' && to.kind === 'decimal')
    return from.scale === to.scale && from.precision <= to.precision;
  return !('scale' in from) || !('scale' in to) || from.scale === to.scale;
}

function convertValue(value: SqlValue, from: SqlType, to: SqlType, context: ConversionContext): Datum {
  if (from.kind === 'sql_variant' && typeof value === 'object' && 'type' in value)
    return to.kind === 'sql_variant' ? value : convertDatum(value.value, value.type, to, context);
  if (canConvert(from, to) === 'no') throw notAllowed(from, to);
  if (to.kind === 'sql_variant') return { type: from, value };
  if (isText(to)) return toText(value, from, to, context);
  if (isNumeric(to)) return toNumber(value, from, to);
  if (isDateOrTime(to)) return toDate(value, from, to, context);
  if (isBinary(to) || to.kind === 'image' || to.kind === 'rowversion')
    return toBinary(value, from, to, context);
  if (to.kind === 'uniqueidentifier')
    return value instanceof Uint8Array ? guidText(value) : parseGuid(value as string);
  if (to.kind === 'xml')
    return normalizeXml(
      value instanceof Uint8Array ? Buffer.from(value).toString('utf16le') : (value as string),
      context.style === KEEPS_BLANKS,
    );
  return value instanceof Uint8Array ? value : parseHierarchy(value as string);
}
