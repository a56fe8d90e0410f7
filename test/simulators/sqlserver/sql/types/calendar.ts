/** Days since 0001-01-01 and ticks of 100 ns, and what they are in the calendar. */
import type { DateAndTime } from '../../contract.ts';

export const TICKS_PER_SECOND = 10_000_000n;
export const TICKS_PER_MILLISECOND = 10_000n;
export const TICKS_PER_MINUTE = 60n * TICKS_PER_SECOND;
export const TICKS_PER_HOUR = 60n * TICKS_PER_MINUTE;
export const TICKS_PER_DAY = 24n * TICKS_PER_HOUR;
/** 1970-01-01, from which JavaScript counts. */
export const DAYS_OF_1970 = 719_162;
/** 1900-01-01, from which datetime counts. */
export const DAYS_OF_1900 = 693_595;
/** 1753-01-01, where datetime begins. */
export const DAYS_OF_1753 = 639_905;
/** 9999-12-31. */
export const LAST_DAY = 3_652_058;
/** 2079-06-06, where smalldatetime ends. */
export const LAST_SMALL_DAY = 759_130;
const MILLISECONDS_PER_DAY = 86_400_000;
/** A datetime counts 1/300 s. */
const UNITS_PER_SECOND = 300n;

export type Civil = { readonly year: number; readonly month: number; readonly day: number };

export function civilOf(days: number): Civil {
  const date = new Date((days - DAYS_OF_1970) * MILLISECONDS_PER_DAY);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** `undefined` for a date that the calendar does not have. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1) return undefined;
  return Math.round(date.getTime() / MILLISECONDS_PER_DAY) + DAYS_OF_1970;
}

export function daysInMonth(year: number, month: number): number {
  return daysOf(year, month, 31) !== undefined
    ? 31
    : daysOf(year, month, 30) !== undefined
      ? 30
      : daysOf(year, month, 29) !== undefined
        ? 29
        : 28;
}

/** 1 Monday … 7 Sunday. */
export function isoWeekday(days: number): number {
  return (((days % 7) + 7) % 7) + 1;
}

/** The moment as one number of ticks since 0001-01-01. */
export function totalTicks({ days, ticks }: DateAndTime): bigint {
  return BigInt(days) * TICKS_PER_DAY + ticks;
}

export function fromTotalTicks(total: bigint): DateAndTime {
  let days = total / TICKS_PER_DAY;
  let ticks = total % TICKS_PER_DAY;
  if (ticks < 0n) {
    days -= 1n;
    ticks += TICKS_PER_DAY;
  }
  return { days: Number(days), ticks };
}

export function fromMilliseconds(milliseconds: number): DateAndTime {
  const days = Math.floor(milliseconds / MILLISECONDS_PER_DAY);
  const rest = milliseconds - days * MILLISECONDS_PER_DAY;
  return { days: days + DAYS_OF_1970, ticks: BigInt(Math.floor(rest * 10_000)) };
}

/** Rounded to `scale` digits of a second; may give the next day. */
export function roundToScale(value: DateAndTime, scale: number): DateAndTime {
  const unit = 10n ** BigInt(7 - scale);
  const rounded = ((value.ticks + unit / 2n) / unit) * unit;
  return rounded >= TICKS_PER_DAY
    ? { days: value.days + 1, ticks: rounded - TICKS_PER_DAY }
    : { days: value.days, ticks: rounded };
}

/** Rounded to 1/300 s, as a datetime is. */
export function roundToDateTime(value: DateAndTime): DateAndTime {
  const units = (value.ticks * UNITS_PER_SECOND + TICKS_PER_SECOND / 2n) / TICKS_PER_SECOND;
  const ticks = (units * TICKS_PER_SECOND + UNITS_PER_SECOND / 2n) / UNITS_PER_SECOND;
  return ticks >= TICKS_PER_DAY
    ? { days: value.days + 1, ticks: ticks - TICKS_PER_DAY }
    : { days: value.days, ticks };
}

/** Rounded to minutes, as a smalldatetime is: 29.998 s are rounded down, 29.999 s up. */
export function roundToMinutes(value: DateAndTime): DateAndTime {
  const { days, ticks } = roundToDateTime(value);
  const minutes = (ticks + TICKS_PER_MINUTE / 2n) / TICKS_PER_MINUTE;
  const rounded = minutes * TICKS_PER_MINUTE;
  return rounded >= TICKS_PER_DAY ? { days: days + 1, ticks: 0n } : { days, ticks: rounded };
}
