/**
 * Instants, days and times of day as the columns of SQL Server show them: with as many digits after the second as they
 * are declared with, rounded as the server rounds. A column without offset is taken as UTC.
 */
import {
  calendarParts,
  clockText,
  dateFromText,
  type InstantLimits,
  twoPlaces,
} from '../../../src/connector/codec/date-text.ts';
import { DataError } from '../../../src/connector/errors.ts';
import type { DateValue } from '../../../src/schema/value.ts';
import type { SqlType } from '../sql-type.ts';

const YEARS_1_TO_9999: InstantLimits = {
  first: -62_135_596_800n,
  last: 253_402_300_799n,
  name: 'the years 1 to 9999 of SQL Server',
};
const LIMITS: Readonly<Record<string, InstantLimits>> = {
  datetime: { ...YEARS_1_TO_9999, first: -6_847_804_800n, name: 'the years 1753 to 9999 of datetime' },
  smalldatetime: {
    first: -2_208_988_800n,
    last: 3_453_321_599n,
    name: 'the days 1900-01-01 to 2079-06-06 of smalldatetime',
  },
};

const BILLION = 1_000_000_000n;
/** A `datetime` counts three hundredths of a second. */
const TICKS_PER_SECOND = 300n;
const MINUTE = 60n * BILLION;
/** A `smalldatetime` rounds up from 29.999 s. */
const ROUNDED_UP = 29_999_000_000n;

export const INSTANTS: readonly string[] = [
  'date',
  'smalldatetime',
  'datetime',
  'datetime2',
  'datetimeoffset',
];

/** The instant as the column shows it, rounded. Throws `DataError` beyond what the column holds. */
export function instantText(value: DateValue, type: SqlType): string {
  const limits = LIMITS[type.name] ?? YEARS_1_TO_9999;
  calendarParts(value, limits);
  const parts = calendarParts(rounded(value, type), limits);
  const day = `${String(parts.year).padStart(4, '0')}-${twoPlaces(parts.month)}-${twoPlaces(parts.day)}`;
  if (type.name === 'date') return day;
  const clock = clockText(parts.clock) + fractionText(BigInt(parts.nanoseconds), decimalsOf(type));
  // An instant has no offset: a row that shows it with one keeps that.
  return type.name === 'datetimeoffset' ? `${day}T${clock}Z` : `${day} ${clock}`;
}

function decimalsOf({ name, scale }: SqlType): number {
  switch (name) {
    case 'smalldatetime':
      return 0;
    case 'datetime':
      return 3;
    default:
      return scale;
  }
}

function fractionText(nanoseconds: bigint, decimals: number): string {
  return decimals === 0 ? '' : `.${nanoseconds.toString().padStart(9, '0').slice(0, decimals)}`;
}

/** As the server rounds a time that it is given with more digits than the column has. */
function rounded(value: DateValue, type: SqlType): DateValue {
  const nanoseconds = value.seconds * BILLION + BigInt(value.nanoseconds);
  switch (type.name) {
    case 'date':
      return value; // the time of day is not kept
    case 'smalldatetime': {
      const beyond = modulo(nanoseconds, MINUTE);
      return instantOf(nanoseconds - beyond + (beyond >= ROUNDED_UP ? MINUTE : 0n));
    }
    case 'datetime': {
      const ticks = floor(nanoseconds * TICKS_PER_SECOND * 2n + BILLION, BILLION * 2n);
      // It shows milliseconds: .000, .003, .007.
      const milliseconds = floor(ticks * 2000n + TICKS_PER_SECOND, TICKS_PER_SECOND * 2n);
      return instantOf(milliseconds * 1_000_000n);
    }
    default: {
      const unit = 10n ** BigInt(9 - type.scale);
      return instantOf(floor(nanoseconds * 2n + unit, unit * 2n) * unit);
    }
  }
}

function instantOf(nanoseconds: bigint): DateValue {
  return {
    type: 'date',
    seconds: nanoseconds / BILLION,
    nanoseconds: Number(nanoseconds % BILLION),
  };
}

function modulo(value: bigint, divisor: bigint): bigint {
  const rest = value % divisor;
  return rest < 0n ? rest + divisor : rest;
}

function floor(value: bigint, divisor: bigint): bigint {
  return (value - modulo(value, divisor)) / divisor;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?: ?(Z|[+-]\d\d:\d\d))?)?$/;
const TIME = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/;
/** Fourteen hours, beyond which no zone lies. */
const LARGEST_OFFSET = 14 * 60;

/** The canonical text of one that somebody wrote by hand. Throws `DataError` when the column would make another of it. */
export function storedTime(text: string, type: SqlType): string {
  return type.name === 'time' ? timeOfDay(text, type) : storedInstant(text, type);
}

function storedInstant(text: string, type: SqlType): string {
  const [, day, clock = '00:00', second = '00', fraction = '', zone = ''] = INSTANT.exec(text) ?? [];
  if (day === undefined)
    throw new DataError(`it is no ${type.name}`, { remedy: `write ${FORMS[type.name]}` });
  const bare = `${day} ${clock}:${second}${fraction === '' ? '' : `.${fraction}`}`;
  const value = dateFromText(bare);
  if (!sameInstant(value, bare)) throw new DataError('there is no such day or time');
  const offset = offsetOf(zone);
  if (type.name !== 'datetimeoffset') {
    if (zone !== '' && offset !== '+00:00') throw new DataError(`a ${type.name} has no offset`);
    const stored = instantText(value, type);
    if (!sameDate(dateFromText(stored), value)) throw tooFine(type, stored);
    return stored;
  }
  const stored = instantText(value, type).replace('T', ' ').replace('Z', '');
  if (!sameDate(dateFromText(stored), value)) throw tooFine(type, stored);
  const utc = dateFromText(`${stored}${offset}`);
  calendarParts(utc, YEARS_1_TO_9999);
  return `${stored} ${offset}`;
}

/** `+02:00`. Throws `DataError` beyond 14 hours. */
function offsetOf(zone: string): string {
  if (zone === '' || zone === 'Z' || zone === '-00:00') return '+00:00';
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  if (minutes > LARGEST_OFFSET || Number(zone.slice(4, 6)) > 59)
    throw new DataError(`${zone} is no offset between -14:00 and +14:00`);
  return zone;
}

function timeOfDay(text: string, { scale }: SqlType): string {
  const [, hour, minute = '', second = '00', fraction = ''] = TIME.exec(text) ?? [];
  if (hour === undefined) throw new DataError('it is no time of day', { remedy: `write ${FORMS.time}` });
  const digits = fraction.padEnd(9, '0');
  if (/[1-9]/.test(digits.slice(scale)))
    throw new DataError(`a time(${scale}) has ${scale === 0 ? 'no' : scale} digits after the second`);
  return `${hour}:${minute}:${second}${scale === 0 ? '' : `.${digits.slice(0, scale)}`}`;
}

const FORMS: Readonly<Record<string, string>> = {
  date: 'a day as 2024-02-29',
  time: 'a time as 12:00:00.5',
  smalldatetime: 'an instant as 2024-02-29 12:00:00',
  datetime: 'an instant as 2024-02-29 12:00:00.003',
  datetime2: 'an instant as 2024-02-29 12:00:00.5',
  datetimeoffset: 'an instant as 2024-02-29 12:00:00.5 +02:00',
};

function tooFine(type: SqlType, nearest: string): DataError {
  return new DataError(`a ${type.name} cannot hold it exactly, the nearest is ${nearest}`);
}

function sameDate(a: DateValue, b: DateValue): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

/** The 30th of February would be taken for the first of March. */
function sameInstant(value: DateValue, text: string): boolean {
  const parts = calendarParts(value, YEARS_1_TO_9999);
  const shown = `${String(parts.year).padStart(4, '0')}-${twoPlaces(parts.month)}-${twoPlaces(parts.day)} ${clockText(parts.clock)}`;
  return text.startsWith(shown);
}
