/** Conversions to dates and times. */
import type { DateAndTime, OffsetDateAndTime, SqlType, SqlValue } from '../../contract.ts';
import {
  DAYS_OF_1753,
  DAYS_OF_1900,
  fromTotalTicks,
  LAST_DAY,
  LAST_SMALL_DAY,
  roundToDateTime,
  roundToMinutes,
  roundToScale,
  TICKS_PER_DAY,
  TICKS_PER_MINUTE,
  totalTicks,
} from './calendar.ts';
import { type ConversionContext, conversionFailure, notAllowed, overflow } from './conversion-context.ts';
import { parseDate } from './date-parse.ts';
import { isCharacter, isDateOrTime, isNumeric, isOldDateTime } from './families.ts';
import { toNumber } from './to-number.ts';
import { messageName } from './type-names.ts';

/** A moment without its type: in local time, with an offset when it had one. */
type Moment = { readonly local: DateAndTime; readonly offset: number | undefined };

/** More digits than these are no datetime. */
const DATETIME_DIGITS = 3;

export function toDate(value: SqlValue, from: SqlType, to: SqlType, context: ConversionContext): SqlValue {
  return shape(momentOf(value, from, to, context), from, to);
}

function momentOf(value: SqlValue, from: SqlType, to: SqlType, context: ConversionContext): Moment {
  if (isCharacter(from)) return parsed(value as string, from, to, context);
  if (isDateOrTime(from))
    return {
      local: localOf(value, from),
      offset: from.kind === 'datetimeoffset' ? (value as OffsetDateAndTime).offset : undefined,
    };
  if (!isNumeric(from) || !isOldDateTime(to)) throw notAllowed(from, to);
  const days = toNumber(value, from, { kind: 'float' }) as number;
  const whole = Math.floor(days);
  const local = fromTotalTicks(
    BigInt(whole + DAYS_OF_1900) * TICKS_PER_DAY + BigInt(Math.round((days - whole) * Number(TICKS_PER_DAY))),
  );
  if (local.days < DAYS_OF_1753 || local.days > LAST_DAY) throw overflow('expression', to);
  return { local, offset: undefined };
}

/** The date and time as shown; a time alone is of 1900-01-01. */
function localOf(value: SqlValue, from: SqlType): DateAndTime {
  if (from.kind === 'date') return { days: value as number, ticks: 0n };
  if (from.kind === 'time') return { days: DAYS_OF_1900, ticks: value as bigint };
  if (from.kind !== 'datetimeoffset') return value as DateAndTime;
  const moment = value as OffsetDateAndTime;
  return fromTotalTicks(totalTicks(moment) + BigInt(moment.offset) * TICKS_PER_MINUTE);
}

function parsed(text: string, from: SqlType, to: SqlType, context: ConversionContext): Moment {
  const result = parseDate(text, context.dateFormat, context.style);
  const old = isOldDateTime(to);
  if (result === 'outOfRange' && old) throw outOfRange(from, to);
  if (result === 'outOfRange' || result === 'invalid') throw notADate(to);
  if (
    old &&
    (result.fractionDigits > DATETIME_DIGITS || (result.offset !== undefined && result.offset !== 0))
  )
    throw notADate(to);
  return { local: { days: result.days, ticks: result.ticks }, offset: result.offset };
}

function notADate(to: SqlType): Error {
  if (to.kind === 'smalldatetime')
    return conversionFailure(
      295,
      'Conversion failed when converting character string to smalldatetime data type.',
      3,
    );
  return conversionFailure(241, 'Conversion failed when converting date and/or time from character string.');
}

function outOfRange(from: SqlType, to: SqlType): Error {
  const [source, target] = [messageName(from), messageName(to)];
  const message = `The conversion of a ${source} data type to a ${target} data type resulted in an out-of-range value.`;
  return conversionFailure(242, message, 3);
}

function shape({ local, offset }: Moment, from: SqlType, to: SqlType): SqlValue {
  switch (to.kind) {
    case 'date':
      return local.days;
    case 'time':
      // Rounding up at midnight begins again at zero.
      return roundToScale(local, to.scale).ticks;
    case 'datetime':
      return inRange(roundToDateTime(local), DAYS_OF_1753, LAST_DAY, from, to);
    case 'smalldatetime':
      return inRange(roundToMinutes(local), DAYS_OF_1900, LAST_SMALL_DAY, from, to);
    case 'datetime2':
      return withinCalendar(local, to.scale);
    default:
      return withOffset(local, offset ?? 0, to);
  }
}

function inRange(value: DateAndTime, first: number, last: number, from: SqlType, to: SqlType): DateAndTime {
  if (value.days >= first && value.days <= last) return value;
  throw outOfRange(from, to);
}

/** On the last day of the calendar the fraction is cut instead of rounded into the year 10000. */
function withinCalendar(value: DateAndTime, scale: number): DateAndTime {
  const rounded = roundToScale(value, scale);
  if (rounded.days <= LAST_DAY) return rounded;
  const unit = 10n ** BigInt(7 - scale);
  return { days: value.days, ticks: value.ticks - (value.ticks % unit) };
}

function withOffset(local: DateAndTime, offset: number, to: SqlType): OffsetDateAndTime {
  const rounded = withinCalendar(local, 'scale' in to ? to.scale : 7);
  const utc = fromTotalTicks(totalTicks(rounded) - BigInt(offset) * TICKS_PER_MINUTE);
  if (utc.days < 0 || utc.days > LAST_DAY)
    throw conversionFailure(517, "Adding a value to a 'datetimeoffset' column caused an overflow.");
  return { ...utc, offset };
}
