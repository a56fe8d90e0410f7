/** SWITCHOFFSET, TODATETIMEOFFSET and AT TIME ZONE 'UTC'. */
import { type DateAndTime, type OffsetDateAndTime, SqlFailure, type SqlType } from '../../contract.ts';
import { coerce } from '../expressions/coerce.ts';
import type { Compiled, Scope } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT, notSimulated } from '../failures.ts';
import { fromTotalTicks, TICKS_PER_MINUTE, totalTicks } from '../types/calendar.ts';
import { isCharacter, isDateOrTime } from '../types/families.ts';
import { type Application, type FunctionTable, INT, NVARCHAR_MAX, strict } from './definition.ts';

const LARGEST_OFFSET = 14 * 60;

/** `+01:00` or minutes. Throws 9812. */
function offsetArgument<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const argument = args[1]!;
  return isCharacter(argument.type) ? argument : coerce(argument, INT, scope, line);
}

function offsetOf(value: unknown): number {
  const match = typeof value === 'string' ? /^([+-])(\d{1,2}):(\d{2})$/.exec(value.trim()) : null;
  const minutes =
    typeof value === 'bigint'
      ? Number(value)
      : match === null
        ? Number.NaN
        : (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
  if (Math.abs(minutes) <= LARGEST_OFFSET) return minutes;
  throw new SqlFailure(9812, 'The timezone provided to builtin function todatetimeoffset is invalid.', {
    line: LINE_OF_STATEMENT,
  });
}

function scaleOf(type: SqlType): number {
  return 'scale' in type && type.kind !== 'decimal' ? type.scale : type.kind === 'datetime' ? 3 : 7;
}

function switchOffset<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const type: SqlType = {
    kind: 'datetimeoffset',
    scale: isDateOrTime(args[0]!.type) ? scaleOf(args[0]!.type) : 7,
  };
  return strict(
    type,
    [coerce(args[0]!, type, scope, line), offsetArgument(application)],
    (value, offset) => ({
      ...(value as OffsetDateAndTime),
      offset: offsetOf(offset),
    }),
  );
}

function toDateTimeOffset<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const scale = isDateOrTime(args[0]!.type) ? scaleOf(args[0]!.type) : 7;
  const local = coerce(args[0]!, { kind: 'datetime2', scale }, scope, line);
  return strict({ kind: 'datetimeoffset', scale }, [local, offsetArgument(application)], (value, offset) => {
    const minutes = offsetOf(offset);
    return {
      ...fromTotalTicks(totalTicks(value as DateAndTime) - BigInt(minutes) * TICKS_PER_MINUTE),
      offset: minutes,
    };
  });
}

/** `x AT TIME ZONE 'UTC'`: a datetimeoffset is brought there, anything else is taken to be there. */
export function atTimeZone<Env>(
  operand: Compiled<Env>,
  zone: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (!isDateOrTime(operand.type) || operand.type.kind === 'date' || operand.type.kind === 'time')
    throw new SqlFailure(
      8116,
      `Argument data type ${operand.type.kind} is invalid for argument 1 of AT TIME ZONE function.`,
      { line },
    );
  const type: SqlType = { kind: 'datetimeoffset', scale: scaleOf(operand.type) };
  const known = operand.type.kind === 'datetimeoffset';
  return strict(type, [operand, coerce(zone, NVARCHAR_MAX, scope, line)], (value, name) => {
    if ((name as string).toUpperCase() !== 'UTC') throw notSimulated(`The time zone '${name as string}'`);
    return known ? { ...(value as OffsetDateAndTime), offset: 0 } : { ...(value as DateAndTime), offset: 0 };
  });
}

export const TIME_ZONE_FUNCTIONS: FunctionTable = {
  SWITCHOFFSET: { minimal: 2, maximal: 2, compile: switchOffset },
  TODATETIMEOFFSET: { minimal: 2, maximal: 2, compile: toDateTimeOffset },
};
