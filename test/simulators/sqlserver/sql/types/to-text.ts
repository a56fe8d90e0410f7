/** Conversions to characters: the text of each type as SQL Server prints it, cut or padded to the length. */
import type { DateAndTime, SqlType, SqlValue } from '../../contract.ts';
import { cutToBytes, decodeVarchar, throughCodePage, varcharBytes } from './code-page.ts';
import { type ConversionContext, conversionFailure, overflow } from './conversion-context.ts';
import { formatDate } from './date-format.ts';
import { decimalText } from './decimal-arithmetic.ts';
import { isBinary, isInteger, isMoney, isUnicode } from './families.ts';
import { hierarchyText } from './hierarchyid.ts';
import { formatFloat, formatMoney } from './number-text.ts';
import { messageName } from './type-names.ts';

/** The text of a value, before it is fitted to a length. Binaries with style 1 or 2 are hexadecimal. */
export function datumText(
  value: SqlValue,
  type: SqlType,
  context: ConversionContext,
  unicode = true,
): string {
  switch (type.kind) {
    case 'bit':
      return value === true ? '1' : '0';
    case 'decimal':
      return decimalText(value as bigint, type.scale);
    case 'money':
    case 'smallmoney':
      return formatMoney(value as bigint, context.style);
    case 'float':
    case 'real':
      return formatFloat(value as number, type.kind === 'real', context.style);
    case 'date':
    case 'time':
    case 'datetime':
    case 'smalldatetime':
    case 'datetime2':
    case 'datetimeoffset':
      return formatDate(value as number | bigint | DateAndTime, type, context.style);
    case 'hierarchyid':
      return hierarchyText(value as Uint8Array);
    case 'binary':
    case 'varbinary':
    case 'rowversion':
      return bytesText(value as Uint8Array, context, unicode);
    default:
      return typeof value === 'bigint' ? value.toString() : (value as string);
  }
}

function bytesText(bytes: Uint8Array, context: ConversionContext, unicode: boolean): string {
  const { style = 0 } = context;
  if (style === 1 || style === 2)
    return `${style === 1 ? '0x' : ''}${Buffer.from(bytes).toString('hex').toUpperCase()}`;
  if (style !== 0)
    throw conversionFailure(
      281,
      `${style} is not a valid style number when converting from varbinary to a character string.`,
    );
  return unicode ? Buffer.from(bytes).toString('utf16le') : decodeVarchar(bytes, context.collation);
}

/** To char, varchar, nchar, nvarchar, text and ntext. What is too long is cut, or fails where cutting would lie. */
export function toText(value: SqlValue, from: SqlType, to: SqlType, context: ConversionContext): string {
  const unicode = isUnicode(to);
  const text = datumText(value, from, context, unicode);
  const encoded = unicode ? text : throughCodePage(text, context.collation);
  const length = 'length' in to ? to.length : 'max';
  if (length === 'max') return encoded;
  const size = unicode ? encoded.length : varcharBytes(encoded, context.collation);
  if (size > length) return shorten(encoded, length, from, to, context);
  return to.kind === 'char' || to.kind === 'nchar' ? encoded + ' '.repeat(length - size) : encoded;
}

function shorten(
  text: string,
  length: number,
  from: SqlType,
  to: SqlType,
  context: ConversionContext,
): string {
  if (isInteger(from) && from.kind !== 'bigint' && !isUnicode(to))
    return to.kind === 'char' ? '*'.padEnd(length) : '*';
  if (isMoney(from))
    throw conversionFailure(
      234,
      `There is insufficient result space to convert a money value to ${messageName(to)}.`,
      2,
    );
  if (from.kind === 'uniqueidentifier')
    throw conversionFailure(8170, 'Insufficient result space to convert uniqueidentifier value to char.', 2);
  if (isInteger(from)) throw overflow('expression', to);
  if (from.kind === 'decimal') throw overflow(from, to);
  if (from.kind === 'float' || from.kind === 'real') throw overflow('expression', to);
  if (isBinary(from) && context.style === 1) return text.slice(0, length - (length % 2));
  return isUnicode(to) ? text.slice(0, length) : cutToBytes(text, length, context.collation);
}
