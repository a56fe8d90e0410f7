/** Arithmetic, concatenation and bits. */
import { type DateAndTime, type Datum, SqlFailure, type SqlType, type SqlValue } from '../../contract.ts';
import type { BinaryOperator } from '../ast.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import {
  DAYS_OF_1753,
  DAYS_OF_1900,
  fromTotalTicks,
  LAST_DAY,
  roundToDateTime,
  TICKS_PER_DAY,
  totalTicks,
} from '../types/calendar.ts';
import { overflow } from '../types/conversion-context.ts';
import {
  decimalOperation,
  decimalResult,
  divideRounding,
  fitsPrecision,
} from '../types/decimal-arithmetic.ts';
import {
  isApproximate,
  isBinary,
  isCharacter,
  isDateOrTime,
  isInteger,
  isMoney,
  isNumeric,
  isOldDateTime,
} from '../types/families.ts';
import { commonType, concatenationType, decimalShape, MAXIMAL_BYTES } from '../types/precedence.ts';
import { fitsRange } from '../types/to-number.ts';
import { messageName } from '../types/type-names.ts';
import { coerce, expression } from './coerce.ts';
import { collationOf } from './collations.ts';
import type { Compiled, Scope } from './scope.ts';

const NAMES: Readonly<Record<BinaryOperator, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '&': "'&'",
  '|': "'|'",
  '^': "'^'",
};
const INT: SqlType = { kind: 'int' };
const MONEY_UNIT = 10_000n;

type Arithmetic = '+' | '-' | '*' | '/' | '%';
type Operation = (left: SqlValue, right: SqlValue) => SqlValue;

export function compileBinary<Env>(
  operator: BinaryOperator,
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (operator === '&' || operator === '|' || operator === '^')
    return compileBits(operator, left, right, scope, line);
  const [a, b] = withTypes(left, right);
  if (operator === '+' && isCharacter(a.type) && isCharacter(b.type)) return concatenate(a, b, scope, line);
  if (operator === '+' && isBinary(a.type) && isBinary(b.type)) return concatenateBytes(a, b);
  if (isDateOrTime(a.type) || isDateOrTime(b.type)) return dateArithmetic(operator, a, b, scope, line);
  const type = resultType(operator, a, b, line);
  return calculate(operator, a, b, type, scope, line);
}

/** The literal NULL takes the other's type. */
function withTypes<Env>(left: Compiled<Env>, right: Compiled<Env>): readonly [Compiled<Env>, Compiled<Env>] {
  return [
    left.untypedNull ? { ...left, type: right.type } : left,
    right.untypedNull ? { ...right, type: left.type } : right,
  ];
}

/** Applies `operation` where neither side is NULL. */
function strict<Env>(
  type: SqlType,
  left: Compiled<Env>,
  right: Compiled<Env>,
  operation: Operation,
): Compiled<Env> {
  const [a, b] = [left.evaluate, right.evaluate];
  const evaluate = (env: Env): Datum => {
    const x = a(env);
    if (x === null) return null;
    const y = b(env);
    return y === null ? null : operation(x, y);
  };
  return expression(type, [left, right], evaluate);
}

function concatenate<Env>(
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (!isCharacter(left.type) || !isCharacter(right.type))
    throw incompatible('+', left.type, right.type, line);
  const type = concatenationType(left.type, right.type);
  const length = 'length' in type ? type.length : 'max';
  const joined = strict(type, left, right, (a, b) => {
    const text = (a as string) + (b as string);
    return length === 'max' || text.length <= length ? text : text.slice(0, length);
  });
  return { ...joined, collation: collationOf([left, right], scope.session.collation, line) };
}

function concatenateBytes<Env>(left: Compiled<Env>, right: Compiled<Env>): Compiled<Env> {
  const lengths = [left.type, right.type].map((type) => (isBinary(type) ? type.length : 'max'));
  const [a, b] = lengths;
  const length = typeof a === 'number' && typeof b === 'number' ? Math.min(a + b, MAXIMAL_BYTES) : 'max';
  return strict({ kind: 'varbinary', length }, left, right, (x, y) => {
    const bytes = new Uint8Array(Buffer.concat([x as Uint8Array, y as Uint8Array]));
    return length === 'max' ? bytes : bytes.subarray(0, length);
  });
}

function incompatible(operator: BinaryOperator, left: SqlType, right: SqlType, line: number): SqlFailure {
  const message = `The data types ${messageName(left)} and ${messageName(right)} are incompatible in the ${NAMES[operator]} operator.`;
  return new SqlFailure(402, message, { line });
}

function invalid(type: SqlType, operator: string, line: number): SqlFailure {
  return new SqlFailure(8117, `Operand data type ${messageName(type)} is invalid for ${operator} operator.`, {
    line,
  });
}

/** Numbers of days can be added to datetime and smalldatetime; the newer types refuse. */
function dateArithmetic<Env>(
  operator: BinaryOperator,
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  const [strong, weak] = isDateOrTime(left.type) ? [left.type, right.type] : [right.type, left.type];
  if (operator !== '+' && operator !== '-') throw invalid(strong, NAMES[operator], line);
  if (isDateOrTime(weak) && !(isOldDateTime(weak) && isOldDateTime(strong)))
    throw incompatible(operator, left.type, right.type, line);
  if (!isOldDateTime(strong)) {
    if (!isNumeric(weak)) throw incompatible(operator, left.type, right.type, line);
    throw new SqlFailure(
      206,
      `Operand type clash: ${messageName(weak)} is incompatible with ${messageName(strong)}`,
      { line, state: 2 },
    );
  }
  const type: SqlType = {
    kind:
      left.type.kind === 'datetime' || right.type.kind === 'datetime'
        ? 'datetime'
        : (strong.kind as 'smalldatetime'),
  };
  const [a, b] = [coerce(left, type, scope, line), coerce(right, type, scope, line)];
  const base = BigInt(DAYS_OF_1900) * TICKS_PER_DAY;
  return strict(type, a, b, (x, y) => {
    const shift = totalTicks(y as DateAndTime) - base;
    const total = totalTicks(x as DateAndTime) + (operator === '+' ? shift : -shift);
    const moment = roundToDateTime(fromTotalTicks(total));
    if (moment.days < DAYS_OF_1753 || moment.days > LAST_DAY) throw overflow('expression', type);
    return moment;
  });
}

function resultType<Env>(
  operator: Arithmetic,
  { type: left, constantDigits: leftDigits }: Compiled<Env>,
  { type: right, constantDigits: rightDigits }: Compiled<Env>,
  line: number,
): SqlType {
  for (const type of [left, right])
    if (!isNumeric(type) && !isCharacter(type) && !isBinary(type)) throw invalid(type, NAMES[operator], line);
  if (!isNumeric(left) && !isNumeric(right)) throw invalid(left, NAMES[operator], line);
  const common =
    isNumeric(left) && isNumeric(right) ? commonType(left, right) : isNumeric(left) ? left : right;
  if (common.kind === 'bit') throw invalid(common, NAMES[operator], line);
  if (operator === '%' && isApproximate(common)) throw incompatible(operator, left, right, line);
  if (common.kind !== 'decimal') return common;
  return decimalResult(operator, shaped(left, common, leftDigits), shaped(right, common, rightDigits));
}

/** Text beside a decimal becomes a decimal of the same shape; a constant is as precise as it is written. */
function shaped(type: SqlType, common: SqlType, digits: number | undefined): SqlType {
  if (digits !== undefined) return { kind: 'decimal', precision: digits, scale: 0 };
  return isNumeric(type) ? type : common;
}

function calculate<Env>(
  operator: Arithmetic,
  left: Compiled<Env>,
  right: Compiled<Env>,
  type: SqlType,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (type.kind === 'decimal') {
    const [a, b] = [left, right].map((operand) =>
      coerce(operand, { kind: 'decimal', ...shapeOf(operand.type, type) }, scope, line),
    );
    const [scaleA, scaleB] = [shapeOf(left.type, type).scale, shapeOf(right.type, type).scale];
    return strict(type, a!, b!, (x, y) => {
      const units = decimalOperation(
        operator,
        { units: x as bigint, scale: scaleA },
        { units: y as bigint, scale: scaleB },
        type,
      );
      if (units === undefined) throw divisionByZero();
      if (!fitsPrecision(units, type.precision)) throw overflow('expression', type);
      return units;
    });
  }
  const [a, b] = [coerce(left, type, scope, line), coerce(right, type, scope, line)];
  if (isApproximate(type))
    return strict(type, a, b, (x, y) => floatOperation(operator, x as number, y as number, type));
  return strict(type, a, b, (x, y) => {
    const result = isMoney(type)
      ? moneyOperation(operator, x as bigint, y as bigint)
      : integerOperation(operator, x as bigint, y as bigint);
    if (!fitsRange(result, type)) throw overflow('expression', type);
    return result;
  });
}

function shapeOf(type: SqlType, result: SqlType): { readonly precision: number; readonly scale: number } {
  return isNumeric(type) ? decimalShape(type) : decimalShape(result);
}

function divisionByZero(): SqlFailure {
  return new SqlFailure(8134, 'Divide by zero error encountered.', { line: LINE_OF_STATEMENT });
}

function integerOperation(operator: Arithmetic, left: bigint, right: bigint): bigint {
  if (right === 0n && (operator === '/' || operator === '%')) throw divisionByZero();
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
  }
}

function moneyOperation(operator: Arithmetic, left: bigint, right: bigint): bigint {
  if (operator === '*') return divideRounding(left * right, MONEY_UNIT);
  if (operator !== '/') return integerOperation(operator, left, right);
  if (right === 0n) throw divisionByZero();
  return (left * MONEY_UNIT) / right;
}

function floatOperation(operator: Arithmetic, left: number, right: number, type: SqlType): number {
  if (right === 0 && operator === '/') throw divisionByZero();
  const exact =
    operator === '+'
      ? left + right
      : operator === '-'
        ? left - right
        : operator === '*'
          ? left * right
          : left / right;
  if (!Number.isFinite(exact)) throw overflow('expression', type);
  return type.kind === 'real' ? Math.fround(exact) : exact;
}

function compileBits<Env>(
  operator: '&' | '|' | '^',
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  const [a, b] = withTypes(left, right);
  const numbers = [a, b].filter(({ type }) => isInteger(type) || type.kind === 'bit');
  if (
    numbers.length === 0 ||
    [a, b].some(({ type }) => !isInteger(type) && type.kind !== 'bit' && !isBinary(type))
  )
    throw incompatible(operator, a.type, b.type, line);
  const type = numbers.map((each) => each.type).reduce(commonType);
  const whole = type.kind === 'bit' ? INT : type;
  const operation = (x: SqlValue, y: SqlValue): SqlValue => {
    const [m, n] = [x as bigint, y as bigint];
    const result = operator === '&' ? m & n : operator === '|' ? m | n : m ^ n;
    return type.kind === 'bit' ? result !== 0n : result;
  };
  return strict(type, coerce(a, whole, scope, line), coerce(b, whole, scope, line), operation);
}

export function compileUnary<Env>(
  operator: '-' | '+' | '~',
  operand: Compiled<Env>,
  line: number,
): Compiled<Env> {
  const { type, evaluate } = operand;
  if (operator === '+') return operand;
  if (operand.untypedNull) return operand;
  if (operator === '~') {
    if (type.kind === 'bit')
      return expression(type, [operand], (env) => {
        const value = evaluate(env);
        return value === null ? null : !value;
      });
    if (!isInteger(type)) throw invalid(type, "'~'", line);
    return expression(type, [operand], (env) =>
      negated(evaluate(env), (value) => (type.kind === 'tinyint' ? 255n - value : ~value)),
    );
  }
  if (!isNumeric(type) || type.kind === 'bit') throw invalid(type, 'minus', line);
  const result: SqlType = type.kind === 'tinyint' ? { kind: 'smallint' } : type;
  return expression(result, [operand], (env) => {
    const value = evaluate(env);
    if (typeof value === 'number') return -value;
    return negated(value, (units) => {
      if (type.kind !== 'decimal' && !fitsRange(-units, result)) throw overflow('expression', result);
      return -units;
    });
  });
}

function negated(value: Datum, change: (units: bigint) => bigint): Datum {
  return typeof value === 'bigint' ? change(value) : null;
}
