/** Dates and times out of text: the forms of ISO 8601, ODBC, numbers with separators, and names of months. */
import type { DateAndTime } from '../../contract.ts';
import { DAYS_OF_1900, daysOf, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND } from './calendar.ts';

export type DateFormat = 'mdy' | 'dmy' | 'ymd' | 'ydm' | 'myd' | 'dym';

export type ParsedDate = DateAndTime & {
  readonly offset: number | undefined;
  /** Digits of the fraction of a second. */
  readonly fractionDigits: number;
};

/** `invalid`: not a date at all; `outOfRange`: one that the calendar does not have, e.g. February 30. */
export type DateResult = ParsedDate | 'invalid' | 'outOfRange';

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const TIME =
  /(?:^|[T\s])(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:([.:])(\d{1,9}))?)?)?\s*(AM|PM)?\s*(Z|[+-]\d{1,2}:\d{2})?$/i;
/** Two-digit years up to this one are of this century. */
const LAST_SHORT_YEAR = 49;
const LARGEST_OFFSET = 14 * 60;
/** The orders that styles of CONVERT demand. */
const STYLE_FORMATS: Readonly<Record<number, DateFormat>> = {
  1: 'mdy',
  2: 'ymd',
  3: 'dmy',
  4: 'dmy',
  5: 'dmy',
  10: 'mdy',
  11: 'ymd',
};

export function parseDate(text: string, format: DateFormat, style?: number): DateResult {
  const trimmed = text.trim();
  if (trimmed === '') return { days: DAYS_OF_1900, ticks: 0n, offset: undefined, fractionDigits: 0 };
  const time = takeTime(trimmed);
  if (time === 'invalid' || time === 'outOfRange') return time;
  const days =
    time.date === ''
      ? DAYS_OF_1900
      : parseDay(time.date, (style !== undefined && STYLE_FORMATS[style % 100]) || format);
  if (typeof days === 'string') return days;
  return { days, ticks: time.ticks, offset: time.offset, fractionDigits: time.fractionDigits };
}

type Time = {
  readonly date: string;
  readonly ticks: bigint;
  readonly offset: number | undefined;
  readonly fractionDigits: number;
};

/** Splits the time off the end of the text. */
function takeTime(text: string): Time | 'invalid' | 'outOfRange' {
  const match = TIME.exec(text);
  const isTime = match !== null && (match[2] !== undefined || match[6] !== undefined);
  if (!isTime) return { date: text, ticks: 0n, offset: undefined, fractionDigits: 0 };
  const [whole, hours, minutes = '0', seconds = '0', separator, fraction = '', half, zone] = match;
  const hour = hourOf(Number(hours), half);
  if (hour === undefined || Number(minutes) > 59 || Number(seconds) > 59) return 'outOfRange';
  if (fraction.length > 7 || (separator === ':' && fraction.length > 3)) return 'invalid';
  const padded = separator === ':' ? fraction.padStart(3, '0') : fraction;
  const ticks =
    BigInt(hour) * TICKS_PER_HOUR +
    BigInt(minutes) * TICKS_PER_MINUTE +
    BigInt(seconds) * TICKS_PER_SECOND +
    BigInt(padded.padEnd(7, '0'));
  const offset = zone === undefined ? undefined : offsetOf(zone);
  if (offset === 'outOfRange') return offset;
  const date = text.slice(0, text.length - whole.length).trim();
  // With a T before it, the date must be in full.
  if (whole.startsWith('T') && !/^\d{4}-\d{2}-\d{2}$|^\d{8}$/.test(date)) return 'invalid';
  return { date, ticks, offset, fractionDigits: fraction.length };
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour > 23 ? undefined : hour;
  if (hour > 12) return half.toUpperCase() === 'PM' && hour < 24 ? hour : undefined;
  return (hour % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
}

function offsetOf(zone: string): number | 'outOfRange' {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours, minutes] = zone.slice(1).split(':').map(Number) as [number, number];
  const offset = hours * 60 + minutes;
  if (minutes > 59 || offset > LARGEST_OFFSET) return 'outOfRange';
  return zone.startsWith('-') ? -offset : offset;
}

type Days = number | 'invalid' | 'outOfRange';

function parseDay(text: string, format: DateFormat): Days {
  const compact = /^(\d{4}|\d{6}|\d{8})$/.exec(text)?.[1];
  if (compact !== undefined) return parseCompact(compact);
  const iso = /^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})$/.exec(text);
  if (iso !== null) {
    const [, year, , second, third] = iso;
    return format === 'ydm' || format === 'dym'
      ? calendar(year!, third!, second!)
      : calendar(year!, second!, third!);
  }
  const numeric = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{1,4})$/.exec(text);
  if (numeric !== null) return parseNumeric([numeric[1]!, numeric[3]!, numeric[4]!], format);
  return parseNamed(text);
}

function parseCompact(text: string): Days {
  if (text.length === 4) return calendar(text, '1', '1');
  const year = text.slice(0, -4);
  return calendar(year, text.slice(-4, -2), text.slice(-2));
}

/** Three numbers; one of four digits is the year wherever it stands. */
function parseNumeric(numbers: readonly [string, string, string], format: DateFormat): Days {
  const order = numbers[2].length === 4 ? `${format.replace('y', '')}y` : format;
  const part = (letter: string): string => numbers[order.indexOf(letter) as 0 | 1 | 2];
  if (part('y').length === 3) return 'invalid';
  return calendar(part('y'), part('m'), part('d'));
}

/** `Jan 5, 2020`, `5 January 2020`, `2020 jan 5`. */
function parseNamed(text: string): Days {
  const match = /^(?:(\d{1,4})[\s-]*)?([A-Za-z]{3,9})[\s-]*(?:(\d{1,4})(?:[\s,-]+(\d{2,4}))?)?$/.exec(text);
  if (match === null) return 'invalid';
  const [, before, name, after, last] = match;
  const month = MONTHS.findIndex(
    (each) => each === name!.toLowerCase() || each.slice(0, 3) === name!.toLowerCase(),
  );
  if (month < 0) return 'invalid';
  const numbers = [before, after, last].filter((each) => each !== undefined);
  if (numbers.length === 1 && numbers[0]!.length === 4) return calendar(numbers[0]!, String(month + 1), '1');
  if (numbers.length !== 2) return 'invalid';
  const [first, second] = numbers as [string, string];
  return first.length === 4
    ? calendar(first, String(month + 1), second)
    : calendar(second, String(month + 1), first);
}

function calendar(year: string, month: string, day: string): Days {
  const short = Number(year);
  const long = year.length > 2 ? short : short <= LAST_SHORT_YEAR ? 2000 + short : 1900 + short;
  return daysOf(long, Number(month), Number(day)) ?? 'outOfRange';
}
