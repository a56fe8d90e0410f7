/**
 * Instants and the texts of `timestamp`, `timestamptz` and `date` under `DateStyle ISO`, `TimeZone UTC`. A `timestamp`
 * without zone is taken as UTC.
 */
import { DataError } from '../../../src/connector/errors.ts';
import type { DateValue } from '../../../src/schema/value.ts';

const SECONDS_PER_DAY = 86_400;
const SPACE = 0x20;
const DASH = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
/** Offsets have seconds where the server knows a zone's local mean time. */
const ISO =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)?)?$/;
/** 0001-01-01 and the last day of PostgreSQL's timestamps, in seconds from 1970. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 9_224_318_015_999n;

/** Throws `DataError` on infinity, on years before Christ, and on text that is no date. */
export function dateFromText(text: string): DateValue {
  const plain = plainInstant(text);
  if (plain !== undefined) return plain;
  const match = ISO.exec(text);
  if (match === null) throw unreadable(text);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = ''] = match;
  const days = daysFromCivil(Number(year), Number(month), Number(day));
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const seconds = days * SECONDS_PER_DAY + clock - offsetSeconds(zone);
  const nanoseconds = fraction === '' ? 0 : Number(fraction.padEnd(9, '0'));
  // Both parts have the same sign.
  return seconds < 0 && nanoseconds > 0
    ? { type: 'date', seconds: BigInt(seconds + 1), nanoseconds: nanoseconds - 1e9 }
    : { type: 'date', seconds: BigInt(seconds), nanoseconds };
}

/** `YYYY-MM-DD HH:MM:SS`, with `+00` or without, as nearly all timestamps are; anything else is for the pattern. */
function plainInstant(text: string): DateValue | undefined {
  if (text.length !== 22 && text.length !== 19) return undefined;
  if (text.length === 22 && !text.endsWith('+00')) return undefined;
  const isForm =
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(10) === SPACE &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON;
  if (!isForm) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const clock = twoDigits(text, 11) * 3600 + twoDigits(text, 14) * 60 + twoDigits(text, 17);
  const seconds = daysFromCivil(year, twoDigits(text, 5), twoDigits(text, 8)) * SECONDS_PER_DAY + clock;
  return Number.isNaN(seconds) ? undefined : { type: 'date', seconds: BigInt(seconds), nanoseconds: 0 };
}

function twoDigits(text: string, at: number): number {
  const high = text.charCodeAt(at) - ZERO;
  const low = text.charCodeAt(at + 1) - ZERO;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN;
}

function unreadable(text: string): DataError {
  if (text === 'infinity' || text === '-infinity') {
    return new DataError(`${text} is no instant that a realm can hold`, {
      remedy: 'use NULL for an open end, or convert the value in convertPostgresValueToRealm',
    });
  }
  if (text.endsWith(' BC')) {
    return new DataError(`the date ${text} lies before the year 1, which realm dates do not reach`, {
      remedy: 'convert the value in convertPostgresValueToRealm',
    });
  }
  return new DataError(`${JSON.stringify(text)} is no date`);
}

function offsetSeconds(zone: string): number {
  if (zone === '' || zone === 'Z' || zone === '+00') return 0;
  const digits = zone.slice(1).replaceAll(':', '');
  const seconds =
    Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60 + Number(digits.slice(4, 6));
  return zone.startsWith('-') ? -seconds : seconds;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar, whose pattern repeats every 400 years. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/**
 * The instant as `YYYY-MM-DD HH:MM:SS[.ffffff]+00`, or only the day for a `date` column. PostgreSQL holds
 * microseconds; what is finer is cut. Throws `DataError` beyond what PostgreSQL holds and before the year 1.
 */
export function dateToText(value: DateValue, only: 'day' | 'instant' = 'instant'): string {
  const borrow = value.nanoseconds < 0 ? 1 : 0;
  const exact = value.seconds - BigInt(borrow);
  if (exact < FIRST_SECOND || exact > LAST_SECOND) {
    throw new DataError(
      `the instant ${value.seconds} s from 1970 is outside the years 1 to 294276 of PostgreSQL`,
    );
  }
  const seconds = Number(exact);
  const microseconds = Math.floor((value.nanoseconds + borrow * 1e9) / 1000);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const date = civilFromDays(days);
  if (only === 'day') return date;
  const clock = seconds - days * SECONDS_PER_DAY;
  const time = `${two(Math.floor(clock / 3600))}:${two(Math.floor(clock / 60) % 60)}:${two(clock % 60)}`;
  const fraction = microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`;
  return `${date} ${time}${fraction}+00`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
