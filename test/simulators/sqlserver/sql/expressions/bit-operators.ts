/** `& | ^ ~` and signs. */
import type { Datum, SqlType, SqlValue } from '../../contract.ts';
import { overflow } from '../types/conversion-context.ts';
import { isBinary, isInteger, isNumeric } from '../types/families.ts';
import { commonType } from '../types/precedence.ts';
import { fitsRange } from '../types/to-number.ts';
import { coerce, expression } from './coerce.ts';
import { incompatible, invalid, strict, withTypes } from './operands.ts';
import type { Compiled, Scope } from './scope.ts';

const INT: SqlType = { kind: 'int' };

export function compileBits<Env>(
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
