/** The current time, dates from their parts, ISDATE and EOMONTH. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { coerce, expression } from '../expressions/coerce.ts';
import type { Compiled } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import {
  civilOf,
  daysInMonth,
  daysOf,
  fromMilliseconds,
  roundToDateTime,
  TICKS_PER_HOUR,
  TICKS_PER_MINUTE,
  TICKS_PER_SECOND,
} from '../types/calendar.ts';
import { convertDatum } from '../types/convert.ts';
import {
  type Application,
  type FunctionDefinition,
  type FunctionTable,
  INT,
  strict,
  textArgument,
} from './definition.ts';

const DATETIME: SqlType = { kind: 'datetime' };
const DATE: SqlType = { kind: 'date' };
const PRECISE = 7;

/** The simulated server lives in UTC, so that local time is the same. */
function current(type: SqlType, shape: (milliseconds: number) => Datum): FunctionDefinition {
  const compile = <Env>({ scope }: Application<Env>): Compiled<Env> => ({
    ...expression<Env>(type, [], () => shape(scope.session.now()), { nullable: false }),
    constant: false,
  });
  return { minimal: 0, maximal: 0, compile };
}

const now = current(DATETIME, (milliseconds) => roundToDateTime(fromMilliseconds(milliseconds)));
const preciseNow = current({ kind: 'datetime2', scale: PRECISE }, fromMilliseconds);

function cannotConstruct(type: string): SqlFailure {
  return new SqlFailure(
    289,
    `Cannot construct data type ${type}, some of the arguments have values which are not valid.`,
    { line: LINE_OF_STATEMENT },
  );
}

function integers<Env>({ args, scope, line }: Application<Env>): readonly Compiled<Env>[] {
  return args.map((arg) => coerce(arg, INT, scope, line));
}

function dateFromParts<Env>(application: Application<Env>): Compiled<Env> {
  return strict(DATE, integers(application), (...parts) => {
    const [year, month, day] = parts.map(Number) as [number, number, number];
    const days = daysOf(year, month, day);
    if (days === undefined) throw cannotConstruct('date');
    return days;
  });
}

function datetimeFromParts<Env>(application: Application<Env>): Compiled<Env> {
  return strict(DATETIME, integers(application), (...parts) => {
    const [year, month, day, hour, minute, second, millisecond] = parts.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const days = daysOf(year, month, day);
    const wrong =
      hour > 23 ||
      minute > 59 ||
      second > 59 ||
      millisecond > 999 ||
      Math.min(hour, minute, second, millisecond) < 0;
    if (days === undefined || year < 1753 || wrong) throw cannotConstruct('datetime');
    return roundToDateTime({ days, ticks: timeOf(hour, minute, second) + BigInt(millisecond) * 10_000n });
  });
}

function datetime2FromParts<Env>(application: Application<Env>): Compiled<Env> {
  const scaleArgument = application.args[7]!;
  const scale = scaleArgument.constant ? Number(scaleArgument.evaluate(undefined as never)) : PRECISE;
  return strict({ kind: 'datetime2', scale }, integers(application), (...parts) => {
    const [year, month, day, hour, minute, second, fraction] = parts.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const days = daysOf(year, month, day);
    const wrong =
      hour > 23 ||
      minute > 59 ||
      second > 59 ||
      fraction >= 10 ** scale ||
      Math.min(hour, minute, second, fraction) < 0;
    if (days === undefined || wrong) throw cannotConstruct('datetime2');
    return { days, ticks: timeOf(hour, minute, second) + BigInt(fraction) * 10n ** BigInt(PRECISE - scale) };
  });
}

function timeOf(hour: number, minute: number, second: number): bigint {
  return (
    BigInt(hour) * TICKS_PER_HOUR + BigInt(minute) * TICKS_PER_MINUTE + BigInt(second) * TICKS_PER_SECOND
  );
}

function endOfMonth<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const date = coerce(args[0]!, DATE, scope, line);
  const shift = args.length > 1 ? [coerce(args[1]!, INT, scope, line)] : [];
  return strict(DATE, [date, ...shift], (days, months) => {
    const { year, month } = civilOf(days as number);
    const index = year * 12 + month - 1 + Number(months ?? 0n);
    const [newYear, newMonth] = [Math.floor(index / 12), (index % 12) + 1];
    const last = daysOf(newYear, newMonth, daysInMonth(newYear, newMonth));
    if (last === undefined)
      throw new SqlFailure(517, "Adding a value to a 'date' column caused an overflow.", {
        line: LINE_OF_STATEMENT,
      });
    return last;
  });
}

function isDate<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const { scope } = application;
  const context = { collation: scope.session.collation, dateFormat: scope.session.dateFormat };
  const evaluate = (env: Env): Datum => {
    const value = text.evaluate(env);
    if (value === null || value === '') return 0n;
    try {
      convertDatum(value, text.type, DATETIME, context);
      return 1n;
    } catch (error) {
      if (error instanceof SqlFailure) return 0n;
      throw error;
    }
  };
  return expression(INT, [text], evaluate, { nullable: false });
}

export const DATE_FUNCTIONS: FunctionTable = {
  GETDATE: now,
  GETUTCDATE: now,
  CURRENT_TIMESTAMP: now,
  SYSDATETIME: preciseNow,
  SYSUTCDATETIME: preciseNow,
  SYSDATETIMEOFFSET: current({ kind: 'datetimeoffset', scale: PRECISE }, (milliseconds) => ({
    ...fromMilliseconds(milliseconds),
    offset: 0,
  })),
  DATEFROMPARTS: { minimal: 3, maximal: 3, compile: dateFromParts },
  DATETIMEFROMPARTS: { minimal: 7, maximal: 7, compile: datetimeFromParts },
  DATETIME2FROMPARTS: { minimal: 8, maximal: 8, compile: datetime2FromParts },
  EOMONTH: { minimal: 1, maximal: 2, compile: endOfMonth },
  ISDATE: { minimal: 1, maximal: 1, compile: isDate },
};
