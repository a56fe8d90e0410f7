/** Conversions to bit, whole numbers, decimal, money and float. */
import type { DateAndTime, SqlKind, SqlType, SqlValue } from '../../contract.ts';
import { DAYS_OF_1900, TICKS_PER_DAY } from './calendar.ts';
import { conversionFailure, errorConverting, notAllowed, overflow } from './conversion-context.ts';
import { divideRounding, fitsPrecision, powerOfTen, rescale } from './decimal-arithmetic.ts';
import { isApproximate, isBinary, isCharacter, isInteger, isMoney, isOldDateTime } from './families.ts';
import { formatFloat, parseDecimal, parseFloatText, parseInteger, parseMoney } from './number-text.ts';
import { messageName } from './type-names.ts';

type Range = { readonly low: bigint; readonly high: bigint; readonly bytes: number };

const RANGES: Partial<Record<SqlKind, Range>> = {
  tinyint: { low: 0n, high: 255n, bytes: 1 },
  smallint: { low: -32_768n, high: 32_767n, bytes: 2 },
  int: { low: -2_147_483_648n, high: 2_147_483_647n, bytes: 4 },
  bigint: { low: -(2n ** 63n), high: 2n ** 63n - 1n, bytes: 8 },
  money: { low: -(2n ** 63n), high: 2n ** 63n - 1n, bytes: 8 },
  smallmoney: { low: -(2n ** 31n), high: 2n ** 31n - 1n, bytes: 4 },
};
const MONEY_SCALE = 4;
const LARGEST_REAL = 3.402_823_466_385_288_6e38;

export function rangeOf(type: SqlType): Range {
  return RANGES[type.kind]!;
}

/** Whether a number of units fits the whole-number or money type. */
export function fitsRange(units: bigint, type: SqlType): boolean {
  const { low, high } = rangeOf(type);
  return units >= low && units <= high;
}

export function toNumber(value: SqlValue, from: SqlType, to: SqlType): SqlValue {
  if (to.kind === 'bit') return toBit(value, from, to);
  if (isInteger(to)) return toInteger(value, from, to);
  if (to.kind === 'decimal') return toDecimal(value, from, to);
  return isMoney(to) ? toMoney(value, from, to) : toFloat(value, from, to);
}

function toBit(value: SqlValue, from: SqlType, to: SqlType): boolean {
  if (isCharacter(from)) {
    const text = (value as string).trim().toLowerCase();
    if (text === 'true' || text === 'false') return text === 'true';
    const number = parseInteger(text);
    if (number === undefined) throw cannotConvert(value as string, from, to);
    return number !== 0n;
  }
  if (isBinary(from))
    return (value as Uint8Array).at(-1) !== undefined && (value as Uint8Array).some((byte) => byte !== 0);
  if (isOldDateTime(from)) return daysSince1900(value as DateAndTime) !== 0;
  return value !== false && value !== 0n && value !== 0;
}

/** 245, for the types whose message shows the value. */
function cannotConvert(text: string, from: SqlType, to: SqlType): Error {
  const message = `Conversion failed when converting the ${messageName(from)} value '${text}' to data type ${messageName(to)}.`;
  return conversionFailure(245, message);
}

function toInteger(value: SqlValue, from: SqlType, to: SqlType): bigint {
  if (isCharacter(from)) return textToInteger(value as string, from, to);
  if (isBinary(from) || from.kind === 'rowversion')
    return bytesToInteger(value as Uint8Array, rangeOf(to).bytes, to.kind !== 'tinyint');
  if (isApproximate(from)) return floatToInteger(value as number, to);
  if (isOldDateTime(from)) return checked(BigInt(Math.round(daysSince1900(value as DateAndTime))), from, to);
  if (isMoney(from)) return checked(rescale(value as bigint, MONEY_SCALE, 0), from, to);
  if (from.kind === 'decimal') return checked((value as bigint) / powerOfTen(from.scale), from, to);
  if (from.kind === 'bit') return value === true ? 1n : 0n;
  if (isInteger(from)) return checked(value as bigint, from, to);
  throw notAllowed(from, to);
}

function checked(value: bigint, from: SqlType, to: SqlType): bigint {
  if (fitsRange(value, to)) return value;
  if (isInteger(from) && to.kind !== 'int' && to.kind !== 'bigint')
    throw conversionFailure(220, `Arithmetic overflow error for data type ${to.kind}, value = ${value}.`, 2);
  throw overflow(isInteger(from) ? 'expression' : from, to);
}

/** Names that the messages about small columns use. */
const COLUMN_NAMES: Partial<Record<SqlKind, string>> = { tinyint: 'INT1', smallint: 'INT2' };

function textToInteger(text: string, from: SqlType, to: SqlType): bigint {
  const number = parseInteger(text);
  if (number === undefined)
    throw to.kind === 'bigint' ? errorConverting(from, to) : cannotConvert(text, from, to);
  if (fitsRange(number, to)) return number;
  if (to.kind === 'bigint') throw overflow('expression', to);
  const column = COLUMN_NAMES[to.kind];
  const value = `The conversion of the ${messageName(from)} value '${text}' overflowed an`;
  if (column === undefined) throw conversionFailure(248, `${value} int column.`);
  throw conversionFailure(
    244,
    `${value} ${column} column. Use a larger integer column.`,
    to.kind === 'tinyint' ? 1 : 2,
  );
}

function bytesToInteger(bytes: Uint8Array, size: number, signed: boolean): bigint {
  let result = 0n;
  for (const byte of bytes.subarray(Math.max(bytes.length - size, 0))) result = (result << 8n) | BigInt(byte);
  return signed ? BigInt.asIntN(size * 8, result) : result;
}

function floatToInteger(value: number, to: SqlType): bigint {
  const whole = Math.trunc(value);
  if (Number.isFinite(whole) && fitsRange(BigInt(whole), to)) return BigInt(whole);
  if (to.kind === 'bigint') throw overflow('expression', to);
  throw conversionFailure(
    232,
    `Arithmetic overflow error for type ${to.kind}, value = ${value.toFixed(6)}.`,
    2,
  );
}

type Decimal = Extract<SqlType, { readonly kind: 'decimal' }>;

function toDecimal(value: SqlValue, from: SqlType, to: Decimal): bigint {
  const exact = exactOf(value, from);
  if (exact !== undefined) {
    const units = rescale(exact.units, exact.scale, to.scale);
    if (fitsPrecision(units, to.precision)) return units;
    throw overflow(from, to);
  }
  if (isCharacter(from)) throw errorConverting(from, to);
  if (isApproximate(from)) {
    const units = floatToUnits(value as number, to.scale);
    if (fitsPrecision(units, to.precision)) return units;
    throw overflow(from, to);
  }
  throw notAllowed(from, to);
}

/** Units and scale of values that are exact; `undefined` for other types and for texts that are no number. */
function exactOf(
  value: SqlValue,
  from: SqlType,
): { readonly units: bigint; readonly scale: number } | undefined {
  if (from.kind === 'decimal') return { units: value as bigint, scale: from.scale };
  if (isInteger(from)) return { units: value as bigint, scale: 0 };
  if (isMoney(from)) return { units: value as bigint, scale: MONEY_SCALE };
  if (from.kind === 'bit') return { units: value === true ? 1n : 0n, scale: 0 };
  if (isCharacter(from)) return parseDecimal(value as string);
  if (isOldDateTime(from)) return dateUnits(value as DateAndTime);
  return undefined;
}

const DATE_SCALE = 10;

function dateUnits({ days, ticks }: DateAndTime): { readonly units: bigint; readonly scale: number } {
  const scaled = (ticks * powerOfTen(DATE_SCALE)) / TICKS_PER_DAY;
  return { units: BigInt(days - DAYS_OF_1900) * powerOfTen(DATE_SCALE) + scaled, scale: DATE_SCALE };
}

/** A float has seventeen digits that mean something; they are rounded to the scale. */
function floatToUnits(value: number, scale: number): bigint {
  const [mantissa = '', exponent = '0'] = value.toExponential(16).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const units = BigInt(`${whole}${fraction}`);
  const power = Number(exponent) - fraction.length + scale;
  return power >= 0 ? units * powerOfTen(power) : divideRounding(units, powerOfTen(-power));
}

function toMoney(value: SqlValue, from: SqlType, to: SqlType): bigint {
  if (isCharacter(from)) {
    const amount = parseMoney(value as string);
    if (amount === undefined)
      throw conversionFailure(
        235,
        `Cannot convert a char value to money. The char value has incorrect syntax.`,
        0,
      );
    return amountOf(rescale(amount.units, amount.scale, MONEY_SCALE), from, to);
  }
  const exact = exactOf(value, from);
  if (exact !== undefined) return amountOf(rescale(exact.units, exact.scale, MONEY_SCALE), from, to);
  if (isApproximate(from)) return amountOf(floatToUnits(value as number, MONEY_SCALE), from, to);
  if (isBinary(from) || from.kind === 'rowversion')
    return bytesToInteger(value as Uint8Array, rangeOf(to).bytes, true);
  throw notAllowed(from, to);
}

function amountOf(units: bigint, from: SqlType, to: SqlType): bigint {
  if (fitsRange(units, to)) return units;
  throw overflow(isInteger(from) ? 'expression' : from, to);
}

function toFloat(value: SqlValue, from: SqlType, to: SqlType): number {
  const number = floatOf(value, from, to);
  if (to.kind === 'float') return number;
  if (Math.abs(number) > LARGEST_REAL) {
    if (isApproximate(from))
      throw conversionFailure(
        232,
        `Arithmetic overflow error for type real, value = ${formatFloat(number, false)}.`,
        2,
      );
    throw overflow('expression', to);
  }
  return Math.fround(number);
}

function floatOf(value: SqlValue, from: SqlType, to: SqlType): number {
  if (isApproximate(from)) return value as number;
  if (from.kind === 'bit') return value === true ? 1 : 0;
  if (isInteger(from)) return Number(value as bigint);
  if (isMoney(from)) return Number(value as bigint) / 10 ** MONEY_SCALE;
  if (from.kind === 'decimal') return Number(`${value as bigint}e-${from.scale}`);
  if (isOldDateTime(from)) return daysSince1900(value as DateAndTime);
  if (!isCharacter(from)) throw notAllowed(from, to);
  const number = parseFloatText(value as string);
  if (number === undefined) throw errorConverting(from, to);
  if (!Number.isFinite(number)) throw overflow('expression', to);
  return number;
}

export function daysSince1900({ days, ticks }: DateAndTime): number {
  return days - DAYS_OF_1900 + Number(ticks) / Number(TICKS_PER_DAY);
}
