/** Instants as `timestamp`, `timestamptz` and `date` have them under `DateStyle ISO`, `TimeZone UTC`. */
import {
  calendarParts,
  clockText,
  dateFromText,
  type InstantLimits,
  twoPlaces,
} from '../../../src/connector/codec/date-text.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { DateValue } from '../../../src/schema/value.ts';

/** 4714-11-24 BC and the last day of PostgreSQL's timestamps, in seconds from 1970. */
const TIMESTAMPS: InstantLimits = {
  first: -210_866_803_200n,
  last: 9_224_318_015_999n,
  name: 'the years 4714 BC to 294276 of PostgreSQL',
};
/** `date` reaches further: to 5874897-12-31. */
const DAYS: InstantLimits = {
  ...TIMESTAMPS,
  last: 185_331_707_078_399n,
  name: 'the years 4714 BC to 5874897 of PostgreSQL',
};

/** Throws `DataError` on infinity and on text that is no date. */
export function instantFromText(text: string): DateValue {
  if (text === 'infinity' || text === '-infinity') {
    throw new DataError(`${text} is no instant that a realm can hold`, {
      remedy: 'use NULL for an open end, or convert the value in convertPostgresValueToRealm',
    });
  }
  return dateFromText(text);
}

/**
 * The instant as `YYYY-MM-DD HH:MM:SS[.ffffff]+00[ BC]`, or only the day for a `date` column. PostgreSQL holds
 * microseconds; what is finer is cut. Throws `DataError` beyond what PostgreSQL holds.
 */
export function instantToText(value: DateValue, only: 'day' | 'instant' = 'instant'): string {
  const parts = calendarParts(value, only === 'day' ? DAYS : TIMESTAMPS);
  const { year, month, day, clock, nanoseconds } = parts;
  const era = year <= 0 ? ' BC' : '';
  const date = `${String(year <= 0 ? 1 - year : year).padStart(4, '0')}-${twoPlaces(month)}-${twoPlaces(day)}`;
  if (only === 'day') return date + era;
  const microseconds = Math.floor(nanoseconds / 1000);
  const fraction = microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`;
  return `${date} ${clockText(clock)}${fraction}+00${era}`;
}
