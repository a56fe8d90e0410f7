/** The parts of a moment: its year, its week, its milliseconds. */
import type { DateAndTime, OffsetDateAndTime, SqlType, SqlValue } from '../../contract.ts';
import {
  civilOf,
  DAYS_OF_1900,
  daysOf,
  fromTotalTicks,
  isoWeekday,
  TICKS_PER_HOUR,
  TICKS_PER_MILLISECOND,
  TICKS_PER_MINUTE,
  TICKS_PER_SECOND,
  totalTicks,
} from '../types/calendar.ts';
import { isOldDateTime } from '../types/families.ts';

const NANOSECONDS_PER_TICK = 100n;

/** As shown: in local time for a datetimeoffset. */
export function shown(value: SqlValue, type: SqlType): DateAndTime {
  if (type.kind === 'date') return { days: value as number, ticks: 0n };
  if (type.kind === 'time') return { days: DAYS_OF_1900, ticks: value as bigint };
  if (type.kind !== 'datetimeoffset') return value as DateAndTime;
  const moment = value as OffsetDateAndTime;
  return fromTotalTicks(totalTicks(moment) + BigInt(moment.offset) * TICKS_PER_MINUTE);
}

/** The number of a part. */
export function partOf(word: string, value: SqlValue, type: SqlType, dateFirst: number): bigint {
  const { days, ticks } = shown(value, type);
  const { year, month, day } = civilOf(days);
  const firstOfYear = daysOf(year, 1, 1)!;
  switch (word) {
    case 'year':
      return BigInt(year);
    case 'quarter':
      return BigInt(Math.floor((month - 1) / 3) + 1);
    case 'month':
      return BigInt(month);
    case 'day':
      return BigInt(day);
    case 'dayofyear':
      return BigInt(days - firstOfYear + 1);
    case 'weekday':
      return BigInt(dayOfWeek(days, dateFirst));
    case 'week':
      return BigInt(Math.floor((days - firstOfYear + dayOfWeek(firstOfYear, dateFirst) - 1) / 7) + 1);
    case 'iso_week':
      return BigInt(isoWeek(days));
    case 'tzoffset':
      return type.kind === 'datetimeoffset' ? BigInt((value as OffsetDateAndTime).offset) : 0n;
    default:
      return timePart(word, ticks, type);
  }
}

function dayOfWeek(days: number, dateFirst: number): number {
  return ((isoWeekday(days) - dateFirst + 7) % 7) + 1;
}

/** The week of the Thursday of the same week. */
function isoWeek(days: number): number {
  const thursday = days - isoWeekday(days) + 4;
  return Math.floor((thursday - daysOf(civilOf(thursday).year, 1, 1)!) / 7) + 1;
}

function timePart(word: string, ticks: bigint, type: SqlType): bigint {
  const fraction = ticks % TICKS_PER_SECOND;
  switch (word) {
    case 'hour':
      return ticks / TICKS_PER_HOUR;
    case 'minute':
      return (ticks % TICKS_PER_HOUR) / TICKS_PER_MINUTE;
    case 'second':
      return (ticks % TICKS_PER_MINUTE) / TICKS_PER_SECOND;
    case 'millisecond':
      return isOldDateTime(type)
        ? (fraction + TICKS_PER_MILLISECOND / 2n) / TICKS_PER_MILLISECOND
        : fraction / TICKS_PER_MILLISECOND;
    case 'microsecond':
      return fraction / 10n;
    default:
      return fraction * NANOSECONDS_PER_TICK;
  }
}
