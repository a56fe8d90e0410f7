/** Comparing operands: single values, lists by quantifiers, lists element by element. */
import type { ScalarValue } from '../schema/value.ts';
import type { StateValue } from '../store/state/object-state.ts';
import { membership } from './membership.ts';
import type { Group, Operand } from './operand.ts';
import type { Matcher } from './predicate.ts';
import type { ComparisonOperator, Quantifier, TextOperator } from './syntax.ts';
import { constantTextTest, equalText, textTest } from './text-matching.ts';
import { equalValues, isScalar, orderValues } from './values.ts';

/** `in` has become `==` before. */
export type Operator = Exclude<ComparisonOperator, 'in'>;
export type ValueTest = (left: StateValue, right: StateValue) => boolean;

function isTextOperator(operator: Operator): operator is TextOperator {
  return (
    operator === 'beginswith' || operator === 'endswith' || operator === 'contains' || operator === 'like'
  );
}

/** The test of one value against another. `isType` compares sets of types, which match when they have one in common. */
export function valueTest(operator: Operator, caseless: boolean, isType: boolean): ValueTest {
  if (isTextOperator(operator)) return textTest(operator, caseless);
  const equal = isType ? sharesType : caseless ? equalText : equalValues;
  switch (operator) {
    case '==':
      return equal;
    case '!=':
      return (a, b) => !equal(a, b);
    case '<':
      return (a, b) => orderValues(a, b) < 0;
    case '>':
      return (a, b) => orderValues(a, b) > 0;
    case '<=':
      return (a, b) => orderValues(a, b) <= 0 || bothNull(a, b);
    case '>=':
      return (a, b) => orderValues(a, b) >= 0 || bothNull(a, b);
  }
}

function bothNull(a: StateValue, b: StateValue): boolean {
  return a.type === 'null' && b.type === 'null';
}

function sharesType(a: StateValue, b: StateValue): boolean {
  return a.type === 'int' && b.type === 'int' && (a.value & b.value) !== 0n;
}

/** The test against a constant on the right, with what can be prepared done once. */
export function constantTest(
  operator: Operator,
  caseless: boolean,
  isType: boolean,
  constant: ScalarValue,
): (value: StateValue) => boolean {
  if (isTextOperator(operator)) return constantTextTest(operator, caseless, constant);
  if (!isType && (operator === '==' || operator === '!=')) {
    const equal = membership([constant], caseless);
    return operator === '==' ? equal : (value) => !equal(value);
  }
  const test = valueTest(operator, caseless, isType);
  if (constant.type === 'int' && !isType) {
    const { value: bound } = constant;
    const holds = integerTest(operator, bound);
    if (holds !== undefined)
      return (value) => (value.type === 'int' ? holds(value.value) : test(value, constant));
  }
  return (value) => test(value, constant);
}

function integerTest(operator: Operator, bound: bigint): ((value: bigint) => boolean) | undefined {
  switch (operator) {
    case '<':
      return (value) => value < bound;
    case '<=':
      return (value) => value <= bound;
    case '>':
      return (value) => value > bound;
    case '>=':
      return (value) => value >= bound;
    default:
      return undefined;
  }
}

export function comparisonMatcher(
  operator: Operator,
  caseless: boolean,
  left: Operand,
  right: Operand,
): Matcher {
  const isType = left.type === 'typeName';
  const test = valueTest(operator, caseless, isType);
  const [readLeft, readRight] = [left.read, right.read];
  const constant = right.isList ? undefined : right.constant?.[0];
  if (readLeft !== undefined && constant !== undefined) {
    const holds = constantTest(operator, caseless, isType, constant);
    return (state, key, world) => holds(readLeft(state, key, world));
  }
  if (readLeft !== undefined && readRight !== undefined)
    return (state, key, world) => test(readLeft(state, key, world), readRight(state, key, world));
  if (constant !== undefined) {
    const holds = constantTest(operator, caseless, isType, constant);
    return eachGroup(left, quantified(left.quantifier, holds));
  }
  const among = constantMembership(operator, caseless, isType, left, right);
  if (among !== undefined) return eachGroup(left, quantified(left.quantifier, among));
  const hashes = operator === '==' && !isType;
  return (state, key, world) => {
    const groups = left.groups(state, key, world);
    for (const other of right.groups(state, key, world))
      for (const group of groups)
        if (
          compareGroups(operator, test, group, other, left.quantifier, right.quantifier, hashes && !caseless)
        )
          return true;
    return false;
  };
}

/** Lists compare by membership when a quantifier says that their order does not count. */
function constantMembership(
  operator: Operator,
  caseless: boolean,
  isType: boolean,
  left: Operand,
  right: Operand,
): ((value: StateValue) => boolean) | undefined {
  const isAny = right.quantifier === undefined || right.quantifier === 'any';
  if (operator !== '==' || isType || right.constant === undefined || !right.isList || !isAny)
    return undefined;
  if (left.quantifier === undefined && right.quantifier === undefined) return undefined;
  return membership(right.constant, caseless);
}

function eachGroup(operand: Operand, holds: (values: readonly StateValue[]) => boolean): Matcher {
  const { groups } = operand;
  return (state, key, world) => {
    for (const group of groups(state, key, world)) if (holds(group.values)) return true;
    return false;
  };
}

/** Whether any, all or none of the values pass. */
function quantified(
  quantifier: Quantifier | undefined,
  holds: (value: StateValue) => boolean,
): (values: readonly StateValue[]) => boolean {
  switch (quantifier) {
    case 'all':
      return (values) => values.every(holds);
    case 'none':
      return (values) => !values.some(holds);
    default:
      return (values) => values.some(holds);
  }
}

/** From this many pairs on a hash is cheaper than comparing each with each. */
const MANY_PAIRS = 256;

function compareGroups(
  operator: Operator,
  test: ValueTest,
  left: Group,
  right: Group,
  leftQuantifier: Quantifier | undefined,
  rightQuantifier: Quantifier | undefined,
  hashes: boolean,
): boolean {
  if (left.list && right.list && leftQuantifier === undefined && rightQuantifier === undefined) {
    if (left.values.length !== right.values.length) return operator === '!=';
    return left.values.every((value, at) => test(value, right.values[at]!));
  }
  const isAny = rightQuantifier === undefined || rightQuantifier === 'any';
  if (hashes && isAny && left.values.length * right.values.length > MANY_PAIRS)
    return quantified(leftQuantifier, membership(right.values.filter(isScalar), false))(left.values);
  const inner = (value: StateValue) =>
    quantified(rightQuantifier, (other) => test(value, other))(right.values);
  return quantified(leftQuantifier, inner)(left.values);
}
