/** Functions of numbers. */
import { type Datum, SqlFailure, type SqlType, type SqlValue } from '../../contract.ts';
import { coerce, expression } from '../expressions/coerce.ts';
import type { Compiled } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { overflow } from '../types/conversion-context.ts';
import { convertDatum } from '../types/convert.ts';
import { divideRounding, fitsPrecision, powerOfTen } from '../types/decimal-arithmetic.ts';
import { isCharacter, isMoney, isNumeric } from '../types/families.ts';
import { fitsRange } from '../types/to-number.ts';
import {
  type Application,
  type FunctionDefinition,
  type FunctionTable,
  INT,
  invalidArgument,
  strict,
} from './definition.ts';

const FLOAT: SqlType = { kind: 'float' };
const MONEY_SCALE = 4;

/** The argument in the type that functions of numbers compute in: small ones as int, texts as float. */
function numberArgument<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const [argument] = args as [Compiled<Env>];
  const { type } = argument;
  if (argument.untypedNull || isCharacter(type) || type.kind === 'real')
    return coerce(argument, FLOAT, scope, line);
  if (type.kind === 'tinyint' || type.kind === 'smallint') return coerce(argument, INT, scope, line);
  if (type.kind === 'smallmoney') return coerce(argument, { kind: 'money' }, scope, line);
  if (!isNumeric(type) || type.kind === 'bit') throw invalidArgument(application, 1);
  return argument;
}

function scaleOf(type: SqlType): number {
  return type.kind === 'decimal' ? type.scale : isMoney(type) ? MONEY_SCALE : 0;
}

function checked(units: bigint, type: SqlType): bigint {
  const fits = type.kind === 'decimal' ? fitsPrecision(units, type.precision) : fitsRange(units, type);
  if (fits) return units;
  throw overflow('expression', type);
}

function each(
  exact: (units: bigint, scale: number) => bigint,
  inexact: (value: number) => number,
  type: (from: SqlType) => SqlType = (from) => from,
): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const argument = numberArgument(application);
    const scale = scaleOf(argument.type);
    const result = type(argument.type);
    return strict(result, [argument], (value) =>
      typeof value === 'number' ? inexact(value) : checked(exact(value as bigint, scale), result),
    );
  };
}

const absolute = (units: bigint): bigint => (units < 0n ? -units : units);
const signOf = (units: bigint, scale: number): bigint =>
  units === 0n ? 0n : units < 0n ? -powerOfTen(scale) : powerOfTen(scale);

function floored(units: bigint, scale: number): bigint {
  const unit = powerOfTen(scale);
  const quotient = units / unit;
  return units % unit < 0n ? quotient - 1n : quotient;
}

const toWhole = (type: SqlType): SqlType => (type.kind === 'decimal' ? { ...type, scale: 0 } : type);
/** money keeps its units; decimals lose their fraction. */
const whole = (units: bigint, scale: number, type: SqlType): bigint =>
  isMoney(type) ? units * powerOfTen(scale) : units;

function roundedTo(direction: 'floor' | 'ceiling'): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const argument = numberArgument(application);
    const scale = scaleOf(argument.type);
    const type = toWhole(argument.type);
    return strict(type, [argument], (value) => {
      if (typeof value === 'number') return direction === 'floor' ? Math.floor(value) : Math.ceil(value);
      const units = value as bigint;
      const result = direction === 'floor' ? floored(units, scale) : -floored(-units, scale);
      return checked(whole(result, scale, type), type);
    });
  };
}

function round<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const argument = numberArgument(application);
  const { type } = argument;
  const digits = coerce(args[1]!, INT, scope, line);
  const cutting = args.length > 2 ? [coerce(args[2]!, INT, scope, line)] : [];
  return strict(type, [argument, digits, ...cutting], (value, places, cut) => {
    const truncate = cut !== undefined && cut !== 0n;
    if (typeof value === 'number') return roundFloat(value, Number(places), truncate);
    const dropped = scaleOf(type) - Number(places);
    if (dropped <= 0) return value;
    const unit = powerOfTen(dropped);
    const units = value as bigint;
    return checked((truncate ? units / unit : divideRounding(units, unit)) * unit, type);
  });
}

function roundFloat(value: number, places: number, truncate: boolean): number {
  const shifted = Number(`${value}e${places}`);
  if (!Number.isFinite(shifted)) return value;
  const rounded = truncate ? Math.trunc(shifted) : Math.sign(shifted) * Math.round(Math.abs(shifted));
  return Number(`${rounded}e${-places}`);
}

function power<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const base = numberArgument(application);
  const exponent = coerce(args[1]!, FLOAT, scope, line);
  const { type } = base;
  const scale = scaleOf(type);
  const context = { collation: scope.session.collation, dateFormat: scope.session.dateFormat };
  return strict(type, [base, exponent], (value, by): Datum => {
    const exact = typeof value === 'bigint' && Number.isInteger(by) && (by as number) >= 0;
    if (exact && scale === 0) return checked(value ** BigInt(by as number), type);
    const result =
      Number(typeof value === 'number' ? value : `${value as bigint}e-${scale}`) ** (by as number);
    if (!Number.isFinite(result)) throw invalidFloat();
    return convertDatum(result, FLOAT, type, context);
  });
}

function invalidFloat(): SqlFailure {
  return new SqlFailure(3623, 'An invalid floating point operation occurred.', { line: LINE_OF_STATEMENT });
}

function floatFunction(work: (value: number) => number): FunctionDefinition {
  const compile = <Env>({ args, scope, line }: Application<Env>): Compiled<Env> =>
    strict(FLOAT, [coerce(args[0]!, FLOAT, scope, line)], (value: SqlValue) => {
      const result = work(value as number);
      if (!Number.isFinite(result)) throw invalidFloat();
      return result;
    });
  return { minimal: 1, maximal: 1, compile };
}

function random<Env>(): Compiled<Env> {
  return { ...expression<Env>(FLOAT, [], () => Math.random(), { nullable: false }), constant: false };
}

export const NUMBER_FUNCTIONS: FunctionTable = {
  ABS: { minimal: 1, maximal: 1, compile: each(absolute, Math.abs) },
  SIGN: { minimal: 1, maximal: 1, compile: each(signOf, Math.sign) },
  FLOOR: { minimal: 1, maximal: 1, compile: roundedTo('floor') },
  CEILING: { minimal: 1, maximal: 1, compile: roundedTo('ceiling') },
  ROUND: { minimal: 2, maximal: 3, compile: round },
  POWER: { minimal: 2, maximal: 2, compile: power },
  SQRT: floatFunction(Math.sqrt),
  SQUARE: floatFunction((value) => value * value),
  EXP: floatFunction(Math.exp),
  LOG: floatFunction(Math.log),
  LOG10: floatFunction(Math.log10),
  RAND: { minimal: 0, maximal: 1, compile: random },
};
