/** Syntax to predicates: types are checked, constants decided. */
import { comparisonMatcher, type Operator } from './comparison.ts';
import { joinedDependencies } from './dependencies.ts';
import { MAX_PATTERN_LENGTH } from './limits.ts';
import { NO_OBJECT, NO_WORLD } from './no-object.ts';
import { areComparable, type Operand } from './operand.ts';
import { constantPredicate, joined, memberPredicate, negated, type Predicate } from './predicate.ts';
import type { Scope } from './resolve-path.ts';
import type { ComparisonOperator, PredicateNode } from './syntax.ts';
import { operandPair } from './value-operand.ts';
import { isNaNValue } from './values.ts';

type ComparisonNode = Extract<PredicateNode, { kind: 'comparison' }>;
type BetweenNode = Extract<PredicateNode, { kind: 'between' }>;

/** Throws `QueryError` for names that the class does not have and for types that cannot meet. */
export function buildPredicate(node: PredicateNode, scope: Scope): Predicate {
  switch (node.kind) {
    case 'constant':
      return constantPredicate(node.value);
    case 'and':
    case 'or':
      return joined(
        node.kind,
        node.children.map((child) => buildPredicate(child, scope)),
      );
    case 'not':
      return negated(buildPredicate(node.child, scope));
    case 'comparison':
      return comparison(node, scope);
    case 'between':
      return between(node, scope);
  }
}

function comparison(node: ComparisonNode, scope: Scope): Predicate {
  const { left, right } = operandPair(node.left, node.right, scope, buildPredicate);
  if (node.operator === 'in' && !right.isList)
    throw scope.fault(right.at, `IN needs a list on its right, and '${right.text}' is a single value`);
  checkTypes(node, left, right, scope);
  const operator = node.operator === 'in' ? '==' : node.operator;
  return compared(operator, node.caseless, left, right);
}

/** What is left of a comparison when its parts are in their canonical places. */
function compared(operator: Operator, caseless: boolean, left: Operand, right: Operand): Predicate {
  const mirrored = MIRRORED[operator];
  if (mirrored !== undefined && left.constant !== undefined && right.constant === undefined) {
    // A list on the left stays there where its quantifier, or the order of its elements, counts.
    const isAnyOf = operator === '==' && right.read !== undefined && isAny(left);
    if (!left.isList || isAnyOf) return compared(mirrored, caseless, right, left);
  }
  const isType = left.type === 'typeName';
  if (left.constant !== undefined && right.constant !== undefined)
    return constantPredicate(constantResult(operator, caseless, left, right));
  if (
    operator === '==' &&
    !isType &&
    left.read !== undefined &&
    right.constant !== undefined &&
    isAny(right)
  ) {
    const possible = right.constant.filter(
      (value) => areComparable(left.type, value.type) && !isNaNValue(value),
    );
    return memberPredicate(left, possible, caseless);
  }
  const elements = operator === '==' && !isType && !caseless ? elementCondition(left, right) : undefined;
  return {
    kind: 'test',
    text: `${left.text} ${operator.toUpperCase()}${caseless ? '[c]' : ''} ${right.text}`,
    matches: comparisonMatcher(operator, caseless, left, right),
    dependencies: joinedDependencies([left.dependencies, right.dependencies]),
    ...(elements === undefined ? {} : { elements }),
  };
}

function isAny({ quantifier }: Operand): boolean {
  return quantifier === undefined || quantifier === 'any';
}

const MIRRORED: Readonly<Partial<Record<Operator, Operator>>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function constantResult(operator: Operator, caseless: boolean, left: Operand, right: Operand): boolean {
  // Constants read nothing of an object, so that any will do.
  const matches = comparisonMatcher(operator, caseless, left, right);
  return matches(NO_OBJECT.state, NO_OBJECT.key, NO_WORLD);
}

/** `ANY list == x` and `ANY list IN {…}` say that the list holds one of the values. */
function elementCondition(left: Operand, right: Operand) {
  if (left.quantifier === 'all' || left.quantifier === 'none' || left.place === undefined) return undefined;
  if (right.constant === undefined || right.quantifier === 'all' || right.quantifier === 'none')
    return undefined;
  const isOrdered = right.isList && left.quantifier === undefined && right.quantifier === undefined;
  return isOrdered ? undefined : { operand: left, values: right.constant };
}

const TEXT_TYPES: ReadonlySet<string> = new Set(['string', 'data', 'mixed', 'null']);
const RELATIONAL: ReadonlySet<ComparisonOperator> = new Set<ComparisonOperator>(['<', '<=', '>', '>=']);
const TEXTUAL: ReadonlySet<ComparisonOperator> = new Set<ComparisonOperator>([
  'beginswith',
  'endswith',
  'contains',
  'like',
]);

function checkTypes(node: ComparisonNode, left: Operand, right: Operand, scope: Scope): void {
  const { operator, caseless, at } = node;
  const shown = `${operator.toUpperCase()}${caseless ? '[c]' : ''}`;
  for (const operand of [left, right]) {
    if ((TEXTUAL.has(operator) || caseless) && !TEXT_TYPES.has(operand.type))
      throw scope.fault(
        at,
        `${shown} needs strings or data, and '${operand.text}' is of type '${operand.type}'`,
      );
    if (RELATIONAL.has(operator) && (operand.type === 'link' || operand.type === 'typeName'))
      throw scope.fault(at, `${shown} is not possible on '${operand.text}', only == and != are`);
  }
  if ((left.type === 'typeName') !== (right.type === 'typeName') || !areComparable(left.type, right.type))
    throw scope.fault(
      at,
      `'${left.text}' of type '${left.type}' cannot be compared with '${right.text}' of type '${right.type}'`,
    );
  if ((left.isLinkList && isNull(right)) || (right.isLinkList && isNull(left)))
    throw scope.fault(at, 'a list of objects cannot be compared with NULL; ask for its @count');
  if (operator === 'like') checkPattern(right, scope);
}

function isNull({ constant, isList }: Operand): boolean {
  return !isList && constant?.[0]?.type === 'null';
}

function checkPattern({ constant, at }: Operand, scope: Scope): void {
  for (const value of constant ?? [])
    if ((value.type === 'string' || value.type === 'data') && value.value.length > MAX_PATTERN_LENGTH)
      throw scope.fault(at, `a pattern of LIKE is at most ${MAX_PATTERN_LENGTH} characters long`);
}

function between(node: BetweenNode, scope: Scope): Predicate {
  const low = operandPair(node.value, node.low, scope, buildPredicate);
  const high = operandPair(node.value, node.high, scope, buildPredicate);
  for (const { left, right } of [low, high]) {
    checkTypes(
      { ...node, kind: 'comparison', operator: '<=', caseless: false, right: node.low, left: node.value },
      left,
      right,
      scope,
    );
    if (right.isList) throw scope.fault(right.at, 'a bound of BETWEEN is a single value');
  }
  const value = low.left;
  if (value.isCollection && value.quantifier !== 'all')
    throw scope.fault(node.at, `BETWEEN on a list needs ALL, as in 'ALL ${value.text} BETWEEN {…}'`);
  const parts = [compared('>=', false, value, low.right), compared('<=', false, high.left, high.right)];
  if (parts.some(({ kind }) => kind === 'constant')) return joined('and', parts);
  const [above, below] = parts.map(({ matches }) => matches);
  return {
    kind: 'test',
    text: `${value.text} BETWEEN {${low.right.text}, ${high.right.text}}`,
    matches: (state, key, world) => above!(state, key, world) && below!(state, key, world),
    dependencies: joinedDependencies(parts.map(({ dependencies }) => dependencies)),
  };
}
