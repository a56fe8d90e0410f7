/** Dates and times as text, by the styles of CONVERT. */
import { type DateAndTime, type OffsetDateAndTime, SqlFailure, type SqlType } from '../../contract.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import {
  civilOf,
  fromTotalTicks,
  TICKS_PER_HOUR,
  TICKS_PER_MINUTE,
  TICKS_PER_SECOND,
  totalTicks,
} from './calendar.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** How a style puts a date and a time together; `undefined` where it has none. */
type Style = {
  readonly date: ((parts: Parts) => string) | undefined;
  readonly time: ((parts: Parts) => string) | undefined;
  readonly between?: string;
};

type Parts = {
  readonly year: string;
  readonly shortYear: string;
  readonly month: string;
  readonly monthName: string;
  readonly day: string;
  /** Padded with a space. */
  readonly spacedDay: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
  /** With its dot; empty when the type has none. */
  readonly fraction: string;
  /** 1–12, padded with a space. */
  readonly hour12: string;
  readonly half: string;
};

const two = (value: number | bigint): string => String(value).padStart(2, '0');
const full = ({ hour, minute, second }: Parts): string => `${hour}:${minute}:${second}`;
const precise = (parts: Parts): string => `${full(parts)}${parts.fraction}`;
const colonFraction = (parts: Parts): string => `${full(parts)}${parts.fraction.replace('.', ':')}`;
const iso = ({ year, month, day }: Parts): string => `${year}-${month}-${day}`;
const named: Style = {
  date: ({ monthName, spacedDay, year }) => `${monthName} ${spacedDay} ${year}`,
  time: ({ hour12, minute, half }) => `${hour12}:${minute}${half}`,
};
const namedPrecise: Style = {
  date: named.date,
  time: ({ hour12, minute, second, fraction, half }) =>
    `${hour12}:${minute}:${second}${fraction.replace('.', ':')}${half}`,
};
const timeOnly: Style = { date: undefined, time: full };
const odbc: Style = { date: iso, time: full };
const odbcPrecise: Style = { date: iso, time: precise };
const european: Style = {
  date: ({ day, monthName, year }) => `${day} ${monthName} ${year}`,
  time: colonFraction,
};
const isoT: Style = {
  date: iso,
  time: (parts) => (/[1-9]/.test(parts.fraction) ? precise(parts) : full(parts)),
  between: 'T',
};

const dateOnly = (date: (parts: Parts) => string): Style => ({ date, time: undefined });
/** Styles that write the year with two digits below 100, with four from 100. */
const SHORT_STYLES: Readonly<Record<number, (parts: Parts, year: string) => string>> = {
  1: ({ month, day }, year) => `${month}/${day}/${year}`,
  2: ({ month, day }, year) => `${year}.${month}.${day}`,
  3: ({ month, day }, year) => `${day}/${month}/${year}`,
  4: ({ month, day }, year) => `${day}.${month}.${year}`,
  5: ({ month, day }, year) => `${day}-${month}-${year}`,
  6: ({ monthName, day }, year) => `${day} ${monthName} ${year}`,
  7: ({ monthName, day }, year) => `${monthName} ${day}, ${year}`,
  10: ({ month, day }, year) => `${month}-${day}-${year}`,
  11: ({ month, day }, year) => `${year}/${month}/${day}`,
  12: ({ month, day }, year) => `${year}${month}${day}`,
};
const STYLES = new Map<number, Style>([
  [0, named],
  [100, named],
  [9, namedPrecise],
  [109, namedPrecise],
  [8, timeOnly],
  [24, timeOnly],
  [108, timeOnly],
  [13, european],
  [113, european],
  [14, { date: undefined, time: colonFraction }],
  [114, { date: undefined, time: colonFraction }],
  [20, odbc],
  [120, odbc],
  [21, odbcPrecise],
  [25, odbcPrecise],
  [121, odbcPrecise],
  [23, dateOnly(iso)],
  [126, isoT],
  [127, isoT],
]);
for (const [style, write] of Object.entries(SHORT_STYLES)) {
  STYLES.set(
    Number(style),
    dateOnly((parts) => write(parts, parts.shortYear)),
  );
  STYLES.set(
    Number(style) + 100,
    dateOnly((parts) => write(parts, parts.year)),
  );
}
const UTC_STYLE = 127;
/** Styles that write no offset though the type has one. */
const WITHOUT_OFFSET = new Set([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 23]);

/** The text of a date or time; without a style as the type prints itself. */
export function formatDate(
  value: number | bigint | DateAndTime | OffsetDateAndTime,
  type: SqlType,
  style?: number,
): string {
  const old = type.kind === 'datetime' || type.kind === 'smalldatetime';
  const number = style ?? (old ? 0 : 121);
  const found = STYLES.get(number);
  const { local, offset } = localOf(value, number);
  const wantsDate = type.kind !== 'time';
  const wantsTime = type.kind !== 'date';
  if (
    found === undefined ||
    (!wantsDate && found.time === undefined) ||
    (!wantsTime && found.date === undefined)
  )
    throw wrongStyle(number, type);
  const parts = partsOf(local, type);
  const date = wantsDate ? found.date?.(parts) : undefined;
  const time = wantsTime ? found.time?.(parts) : undefined;
  const text =
    date === undefined || time === undefined ? (date ?? time ?? '') : `${date}${found.between ?? ' '}${time}`;
  const trimmed = date === undefined ? text.trimStart() : text;
  if (offset === undefined || time === undefined || WITHOUT_OFFSET.has(number % 100)) return trimmed;
  if (number === UTC_STYLE) return `${trimmed}Z`;
  return `${trimmed}${found.between === 'T' ? '' : ' '}${offsetText(offset)}`;
}

function wrongStyle(style: number, type: SqlType): SqlFailure {
  const message = `${style} is not a valid style number when converting from ${type.kind} to a character string.`;
  return new SqlFailure(281, message, { line: LINE_OF_STATEMENT });
}

export function offsetText(offset: number): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function localOf(
  value: number | bigint | DateAndTime | OffsetDateAndTime,
  style: number,
): { readonly local: DateAndTime; readonly offset: number | undefined } {
  if (typeof value === 'number') return { local: { days: value, ticks: 0n }, offset: undefined };
  if (typeof value === 'bigint') return { local: { days: 0, ticks: value }, offset: undefined };
  if (!('offset' in value)) return { local: value, offset: undefined };
  const shift = style === UTC_STYLE ? 0n : BigInt(value.offset) * TICKS_PER_MINUTE;
  return { local: fromTotalTicks(totalTicks(value) + shift), offset: value.offset };
}

function partsOf({ days, ticks }: DateAndTime, type: SqlType): Parts {
  const { year, month, day } = civilOf(days);
  const hour = Number(ticks / TICKS_PER_HOUR);
  const year4 = String(year).padStart(4, '0');
  return {
    year: year4,
    shortYear: year4.slice(2),
    month: two(month),
    monthName: MONTHS[month - 1]!,
    day: two(day),
    spacedDay: String(day).padStart(2, ' '),
    hour: two(hour),
    minute: two((ticks % TICKS_PER_HOUR) / TICKS_PER_MINUTE),
    second: two((ticks % TICKS_PER_MINUTE) / TICKS_PER_SECOND),
    fraction: fractionOf(ticks % TICKS_PER_SECOND, type),
    hour12: String(hour % 12 === 0 ? 12 : hour % 12).padStart(2, ' '),
    half: hour < 12 ? 'AM' : 'PM',
  };
}

const MILLISECOND_DIGITS = 3;

function fractionOf(ticks: bigint, type: SqlType): string {
  if (type.kind === 'datetime' || type.kind === 'smalldatetime')
    return `.${String((ticks + 5_000n) / 10_000n).padStart(MILLISECOND_DIGITS, '0')}`;
  const scale = 'scale' in type ? type.scale : 0;
  return scale === 0 ? '' : `.${String(ticks).padStart(7, '0').slice(0, scale)}`;
}
