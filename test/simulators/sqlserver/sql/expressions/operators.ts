/** Arithmetic, concatenation and bits. */
import { type DateAndTime, SqlFailure, type SqlType } from '../../contract.ts';
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
  isMoney,
  isNumeric,
  isOldDateTime,
} from '../types/families.ts';
import { commonType, concatenationType, decimalShape, MAXIMAL_BYTES } from '../types/precedence.ts';
import { fitsRange } from '../types/to-number.ts';
import { messageName } from '../types/type-names.ts';
import { compileBits } from './bit-operators.ts';
import { coerce } from './coerce.ts';
import { collationOf } from './collations.ts';
import { incompatible, invalid, OPERATOR_NAMES, strict, withTypes } from './operands.ts';
import type { Compiled, Scope } from './scope.ts';

const MONEY_UNIT = 10_000n;

type Arithmetic = '+' | '-' | '*' | '/' | '%';

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

/** Numbers of days can be added to datetime and smalldatetime; the newer types refuse. */
function dateArithmetic<Env>(
  operator: BinaryOperator,
  left: Compiled<Env>,
  right: Compiled<Env>,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  const [strong, weak] = isDateOrTime(left.type) ? [left.type, right.type] : [right.type, left.type];
  if (operator !== '+' && operator !== '-') throw invalid(strong, OPERATOR_NAMES[operator], line);
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
    if (!isNumeric(type) && !isCharacter(type) && !isBinary(type))
      throw invalid(type, OPERATOR_NAMES[operator], line);
  if (!isNumeric(left) && !isNumeric(right)) throw invalid(left, OPERATOR_NAMES[operator], line);
  const common =
    isNumeric(left) && isNumeric(right) ? commonType(left, right) : isNumeric(left) ? left : right;
  if (common.kind === 'bit') throw invalid(common, OPERATOR_NAMES[operator], line);
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
