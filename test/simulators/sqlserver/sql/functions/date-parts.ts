/** DATEADD, DATEDIFF, DATEPART and their kin. */
import {
  type DateAndTime,
  type Datum,
  type OffsetDateAndTime,
  SqlFailure,
  type SqlType,
  type SqlValue,
} from '../../contract.ts';
import { coerce } from '../expressions/coerce.ts';
import type { Compiled } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import {
  civilOf,
  DAYS_OF_1753,
  DAYS_OF_1900,
  daysInMonth,
  daysOf,
  fromTotalTicks,
  LAST_DAY,
  LAST_SMALL_DAY,
  roundToDateTime,
  roundToMinutes,
  roundToScale,
  TICKS_PER_DAY,
  TICKS_PER_HOUR,
  TICKS_PER_MILLISECOND,
  TICKS_PER_MINUTE,
  TICKS_PER_SECOND,
  totalTicks,
} from '../types/calendar.ts';
import { isCharacter, isDateOrTime, isNumeric } from '../types/families.ts';
import { fitsRange } from '../types/to-number.ts';
import {
  type Application,
  BIGINT,
  type FunctionDefinition,
  type FunctionTable,
  INT,
  invalidArgument,
  strict,
} from './definition.ts';
import { partOf, shown } from './part-of-date.ts';

const MONTHS_OF: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 };
/** Ticks of a unit; nanoseconds are a hundredth of a tick. */
const TICKS_OF: Readonly<Record<string, bigint>> = {
  week: 7n * TICKS_PER_DAY,
  day: TICKS_PER_DAY,
  dayofyear: TICKS_PER_DAY,
  weekday: TICKS_PER_DAY,
  hour: TICKS_PER_HOUR,
  minute: TICKS_PER_MINUTE,
  second: TICKS_PER_SECOND,
  millisecond: TICKS_PER_MILLISECOND,
  microsecond: 10n,
};
const NANOSECONDS_PER_TICK = 100n;
const DATE_WORDS = new Set(['year', 'quarter', 'month', 'dayofyear', 'day', 'week', 'weekday', 'iso_week']);
const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAY_NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** The argument as a date: texts and numbers as `textType`. */
function dateArgument<Env>(
  application: Application<Env>,
  position: number,
  textType: SqlType,
): Compiled<Env> {
  const { args, scope, line } = application;
  const argument = args[position - 1]!;
  if (argument.untypedNull || isCharacter(argument.type)) return coerce(argument, textType, scope, line);
  if (isNumeric(argument.type)) return coerce(argument, { kind: 'datetime' }, scope, line);
  if (!isDateOrTime(argument.type)) throw invalidArgument(application, position);
  return argument;
}

/** 9810: the type has no such part. */
function checkPart<Env>({ call, name, line }: Application<Env>, type: SqlType): void {
  const word = call.word!;
  const wrong =
    type.kind === 'date'
      ? !DATE_WORDS.has(word)
      : type.kind === 'time'
        ? DATE_WORDS.has(word) || word === 'tzoffset'
        : false;
  if (!wrong) return;
  throw new SqlFailure(
    9810,
    `The datepart ${word} is not supported by date function ${name} for data type ${type.kind}.`,
    { line },
  );
}

function dateAdd<Env>(application: Application<Env>): Compiled<Env> {
  const { call, args, scope, line } = application;
  const word = call.word!;
  const date = dateArgument(application, 2, { kind: 'datetime' });
  checkPart(application, date.type);
  if (word === 'tzoffset' || word === 'iso_week')
    throw new SqlFailure(
      9810,
      `The datepart ${word} is not supported by date function dateadd for data type ${date.type.kind}.`,
      { line },
    );
  const count = coerce(args[0]!, INT, scope, line);
  const { type } = date;
  return strict(type, [date, count], (value, number) =>
    shapedBack(addTo(shown(value, type), word, number as bigint, type), value, type),
  );
}

function addTo(moment: DateAndTime, word: string, count: bigint, type: SqlType): DateAndTime {
  const months = MONTHS_OF[word];
  if (months !== undefined) return addMonths(moment, Number(count) * months, type);
  const ticks = word === 'nanosecond' ? count / NANOSECONDS_PER_TICK : count * TICKS_OF[word]!;
  const sum = totalTicks(moment) + ticks;
  if (type.kind !== 'time' && (sum < 0n || sum >= BigInt(LAST_DAY + 1) * TICKS_PER_DAY))
    throw additionOverflow(type);
  return fromTotalTicks(sum);
}

function addMonths(moment: DateAndTime, months: number, type: SqlType): DateAndTime {
  const { year, month, day } = civilOf(moment.days);
  const index = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(index / 12), (index % 12) + 1];
  if (newYear < 1 || newYear > 9999) throw additionOverflow(type);
  return {
    days: daysOf(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)))!,
    ticks: moment.ticks,
  };
}

function additionOverflow(type: SqlType): SqlFailure {
  return new SqlFailure(517, `Adding a value to a '${type.kind}' column caused an overflow.`, {
    line: LINE_OF_STATEMENT,
  });
}

function shapedBack(moment: DateAndTime, original: SqlValue, type: SqlType): SqlValue {
  switch (type.kind) {
    case 'date':
      return moment.days;
    case 'time':
      return roundToScale({ days: 0, ticks: moment.ticks }, type.scale).ticks;
    case 'datetime':
      return inRange(roundToDateTime(moment), DAYS_OF_1753, LAST_DAY, type);
    case 'smalldatetime':
      return inRange(roundToMinutes(moment), DAYS_OF_1900, LAST_SMALL_DAY, type);
    case 'datetimeoffset': {
      const { offset } = original as OffsetDateAndTime;
      const utc = fromTotalTicks(totalTicks(moment) - BigInt(offset) * TICKS_PER_MINUTE);
      return { ...roundToScale(utc, type.scale), offset };
    }
    default:
      return roundToScale(moment, 'scale' in type ? type.scale : 7);
  }
}

function inRange(value: DateAndTime, first: number, last: number, type: SqlType): DateAndTime {
  if (value.days >= first && value.days <= last) return value;
  throw additionOverflow(type);
}

function dateDiff(result: SqlType): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const { call, name } = application;
    const word = call.word!;
    const precise: SqlType = { kind: 'datetimeoffset', scale: 7 };
    const [start, end] = [dateArgument(application, 1, precise), dateArgument(application, 2, precise)];
    checkPart(application, start.type);
    checkPart(application, end.type);
    return strict(result, [start, end], (from, to) => {
      const count = boundaries(word, absolute(from, start.type), absolute(to, end.type));
      if (fitsRange(count, result)) return count;
      const message = `The ${name} function resulted in an overflow. The number of dateparts separating two date/time instances is too large. Try to use ${name} with a less precise datepart.`;
      throw new SqlFailure(535, message, { line: LINE_OF_STATEMENT });
    });
  };
}

/** In UTC, where the type knows it. */
function absolute(value: SqlValue, type: SqlType): DateAndTime {
  return type.kind === 'datetimeoffset' ? (value as DateAndTime) : shown(value, type);
}

/** How many boundaries of the part lie between the two. */
function boundaries(word: string, from: DateAndTime, to: DateAndTime): bigint {
  const months = MONTHS_OF[word];
  if (months !== undefined) return BigInt(period(to, months) - period(from, months));
  if (word === 'week') return BigInt(weekNumber(to.days) - weekNumber(from.days));
  if (word === 'nanosecond') return (totalTicks(to) - totalTicks(from)) * NANOSECONDS_PER_TICK;
  const unit = TICKS_OF[word]!;
  return totalTicks(to) / unit - totalTicks(from) / unit;
}

function period({ days }: DateAndTime, months: number): number {
  const { year, month } = civilOf(days);
  return Math.floor((year * 12 + month - 1) / months);
}

/** Weeks begin on Sunday here, whatever DATEFIRST says. */
function weekNumber(days: number): number {
  return Math.floor((days + 1) / 7);
}

function datePart(word: (application: Application<never>) => string): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const name = word(application as Application<never>);
    const date = dateArgument(application, 1, { kind: 'datetimeoffset', scale: 7 });
    if (application.call.word !== undefined) checkPart(application, date.type);
    const { dateFirst } = application.scope.session;
    return strict(INT, [date], (value): Datum => partOf(name, value, date.type, dateFirst));
  };
}

function dateName<Env>(application: Application<Env>): Compiled<Env> {
  const { call, scope } = application;
  const word = call.word!;
  const date = dateArgument(application, 1, { kind: 'datetimeoffset', scale: 7 });
  checkPart(application, date.type);
  const result = strict({ kind: 'nvarchar', length: 30 }, [date], (value) => {
    const number = Number(partOf(word, value, date.type, 1));
    if (word === 'month') return MONTH_NAMES[number - 1]!;
    return word === 'weekday'
      ? DAY_NAMES[number - 1]!
      : String(partOf(word, value, date.type, scope.session.dateFirst));
  });
  return { ...result, collation: { name: scope.session.collation, label: 'coercible' } };
}

export const DATE_PART_FUNCTIONS: FunctionTable = {
  DATEADD: { minimal: 2, maximal: 2, compile: dateAdd },
  DATEDIFF: { minimal: 2, maximal: 2, compile: dateDiff(INT) },
  DATEDIFF_BIG: { minimal: 2, maximal: 2, compile: dateDiff(BIGINT) },
  DATEPART: { minimal: 1, maximal: 1, compile: datePart(({ call }) => call.word!) },
  DATENAME: { minimal: 1, maximal: 1, compile: dateName },
  YEAR: { minimal: 1, maximal: 1, compile: datePart(() => 'year') },
  MONTH: { minimal: 1, maximal: 1, compile: datePart(() => 'month') },
  DAY: { minimal: 1, maximal: 1, compile: datePart(() => 'day') },
};
