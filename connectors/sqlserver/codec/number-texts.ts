/** Numbers as the columns of SQL Server hold them, exactly or not at all. */
import {
  INT16,
  INT32,
  INT64,
  type IntegerLimits,
  inexact,
  integerToText,
} from '../../../src/connector/codec/exact-number.ts';
import {
  doubleFromText,
  doubleToText,
  floatFromText,
  floatToText,
} from '../../../src/connector/codec/float-text.ts';
import { canonical, isSameNumber, wholeDigits } from '../../../src/connector/codec/number-text.ts';
import { DataError } from '../../../src/connector/errors.ts';
import { realText } from '../real-text.ts';
import { MAX_PRECISION, type SqlType } from '../sql-type.ts';

const LIMITS: Readonly<Record<string, IntegerLimits>> = {
  bit: { smallest: 0n, largest: 1n },
  tinyint: { smallest: 0n, largest: 255n },
  smallint: INT16,
  int: INT32,
  bigint: INT64,
};

/** Amounts are whole numbers of ten-thousandths. */
const MONEY_SCALE = 4;
const MONEY: Readonly<Record<string, IntegerLimits>> = {
  money: INT64,
  smallmoney: INT32,
};

/** The documented ranges begin at the smallest number of full precision. */
const SMALLEST = { real: 2 ** -126, float: 2 ** -1022 };

export const INTEGERS: readonly string[] = ['tinyint', 'smallint', 'int', 'bigint'];
export const NUMBERS: readonly string[] = [
  ...INTEGERS,
  'bit',
  'decimal',
  'money',
  'smallmoney',
  'float',
  'real',
];

/**
 * The canonical text of a number in a column of that type, whichever way it is written. Throws `DataError` when the
 * column would make another number of it.
 */
export function storedNumber(text: string, type: SqlType): string {
  const limits = LIMITS[type.name];
  if (limits !== undefined) return integerText(text, limits, type.name);
  switch (type.name) {
    case 'decimal':
      return decimalDigits(text, type.precision, type.scale, `decimal(${type.precision},${type.scale})`);
    case 'money':
    case 'smallmoney':
      return amount(text, type.name);
    case 'float':
    case 'real':
      return binaryNumber(text, type.name);
    default:
      throw new DataError(`a ${type.name} is no number`);
  }
}

function integerText(text: string, limits: IntegerLimits, type: string): string {
  const digits = wholeDigits(text);
  if (digits === undefined) {
    throw new DataError(isNumber(text) ? `${text} is no whole number` : 'it is no number');
  }
  return integerToText(BigInt(digits), limits, type);
}

/** Plain digits with exactly `scale` decimals. */
function decimalDigits(text: string, precision: number, scale: number, type: string): string {
  const [digits = '', power] = finite(text, type).split('e');
  if (digits === '0') return withPoint('0', scale);
  const zeros = Number(power ?? 0) + scale;
  const bare = digits.replace('-', '');
  if (zeros < 0) {
    throw new DataError(`${type} has ${scale === 0 ? 'no' : scale} decimals`, {
      remedy: 'give the column more decimals, or round in the conversion functions',
    });
  }
  if (bare.length + zeros > precision)
    throw new DataError(`${type} holds ${precision - scale} digits before the point only`);
  return `${digits.startsWith('-') ? '-' : ''}${withPoint(bare + '0'.repeat(zeros), scale)}`;
}

/** How many decimals a number needs, of those that a decimal can have. */
export function decimalsOf(text: string): number {
  const power = Number(canonical(text).split('e')[1] ?? 0);
  return Math.min(Math.max(-power, 0), MAX_PRECISION);
}

function amount(text: string, type: string): string {
  const { smallest, largest } = MONEY[type] ?? INT64;
  const shown = decimalDigits(text, largest.toString().length, MONEY_SCALE, type);
  const units = BigInt(shown.replace('.', ''));
  if (units >= smallest && units <= largest) return shown;
  const limit = (value: bigint): string =>
    `${value < 0n ? '-' : ''}${withPoint(value.toString().replace('-', ''), MONEY_SCALE)}`;
  throw new DataError(`${type} holds amounts from ${limit(smallest)} to ${limit(largest)} only`);
}

function binaryNumber(text: string, type: 'float' | 'real'): string {
  const value = type === 'real' ? floatFromText(text) : doubleFromText(text);
  if (!Number.isFinite(value)) {
    throw new DataError(`a ${type} of SQL Server holds no ${text}`, {
      remedy: 'use NULL, or convert the value in convertRealmValueToSQLServer',
    });
  }
  const nearest = type === 'real' ? realText(value) : doubleToText(value);
  if (!isSameNumber(text, nearest) && !(type === 'real' && text === floatToText(value)))
    throw inexact(type, nearest);
  if (value !== 0 && Math.abs(value) < SMALLEST[type])
    throw new DataError(`a ${type} of SQL Server holds no number nearer to zero than ${SMALLEST[type]}`);
  return nearest;
}

/** As `canonical` in number-text.ts has it. */
function finite(text: string, type: string): string {
  const known = canonical(text);
  if (/^-?\d/.test(known)) return known;
  throw new DataError(isNumber(text) ? `${type} holds no ${text}` : 'it is no number');
}

function isNumber(text: string): boolean {
  return /^(?:-?Infinity|NaN|-?\d+e-?\d+|0)$/.test(canonical(text));
}

/** A whole number with a point before its last digits. */
function withPoint(digits: string, scale: number): string {
  if (scale === 0) return digits;
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}
