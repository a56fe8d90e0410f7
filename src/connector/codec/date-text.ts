/**
 * Instants and their texts in ISO 8601, as nearly every database shows them. A text without zone is taken as UTC, in which
 * all sessions of a connector are.
 */
import type { DateValue } from '../../schema/value.ts';
import { DataError } from '../errors.ts';

const SECONDS_PER_DAY = 86_400;
const SPACE = 0x20;
const DASH = 0x2d;
const ZERO = 0x30;
const COLON = 0x3a;
/**
 * Years before 1 have a sign, as in ISO 8601, or ` BC`. Offsets have seconds where a server knows a zone's local mean
 * time.
 */
const ISO =
  /^([+-]?\d{4,7})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?( ?[+-]\d\d(?::?\d\d)?(?::?\d\d)?|Z)?)?( BC)?$/;
/** What a document may say, in seconds from 1970: from 4714-11-24 BC to 5874897-12-31, the widest of all databases. */
const DOCUMENTS = {
  first: -210_866_803_200n,
  last: 185_331_707_078_399n,
  name: 'the years 4714 BC to 5874897',
};

/** Instants that something can hold, in seconds from 1970; `name` says it in words. */
export type InstantLimits = { readonly first: bigint; readonly last: bigint; readonly name: string };

/** Throws `DataError` on text that is no date. */
export function dateFromText(text: string): DateValue {
  const plain = plainInstant(text);
  if (plain !== undefined) return plain;
  const match = ISO.exec(text);
  if (match === null) throw new DataError(`${JSON.stringify(text)} is no date`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = '', era] = match;
  const days = daysFromCivil(era === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day));
  const clock = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  const seconds = days * SECONDS_PER_DAY + clock - offsetSeconds(zone.trimStart());
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

type Civil = { readonly year: number; readonly month: number; readonly day: number };

function civilFromDays(days: number): Civil {
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
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** The instant in the form of ISO 8601 that every reader of JSON knows, to the nanosecond: `2024-02-29T12:00:00.5Z`. */
export function isoInstant(value: DateValue): string {
  const { year, month, day, clock, nanoseconds } = calendarParts(value, DOCUMENTS);
  const shown =
    year >= 0 && year <= 9999
      ? String(year).padStart(4, '0')
      : `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${shown}-${twoPlaces(month)}-${twoPlaces(day)}T${clockText(clock)}${fraction}Z`;
}

export type CalendarParts = Civil & {
  /** Seconds of the day. */
  readonly clock: number;
  /** Never negative. */
  readonly nanoseconds: number;
};

/** The instant in UTC and in the proleptic Gregorian calendar. Throws `DataError` outside of `limits`. */
export function calendarParts(value: DateValue, limits: InstantLimits): CalendarParts {
  const borrow = value.nanoseconds < 0 ? 1 : 0;
  const exact = value.seconds - BigInt(borrow);
  if (exact < limits.first || exact > limits.last) {
    throw new DataError(`the instant ${value.seconds} s from 1970 is outside ${limits.name}`);
  }
  const seconds = Number(exact);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const clock = seconds - days * SECONDS_PER_DAY;
  return { ...civilFromDays(days), clock, nanoseconds: value.nanoseconds + borrow * 1e9 };
}

/** `HH:MM:SS` */
export function clockText(clock: number): string {
  return `${twoPlaces(Math.floor(clock / 3600))}:${twoPlaces(Math.floor(clock / 60) % 60)}:${twoPlaces(clock % 60)}`;
}

export function twoPlaces(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
