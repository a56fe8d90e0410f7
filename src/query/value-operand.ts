/** Syntax of values to operands: paths, literals, arithmetic, subqueries. */
import type { StateValue } from '../store/state/object-state.ts';
import { arithmetic } from './arithmetic.ts';
import { type Counterpart, listOperand, literalOperand } from './constants.ts';
import { joinedDependencies, throughPath } from './dependencies.ts';
import { MAX_NESTING } from './limits.ts';
import {
  areComparable,
  type Group,
  type GroupReader,
  groupsOf,
  isNumericType,
  type Operand,
  type OperandType,
} from './operand.ts';
import { OBJECT_KEY_FAULT } from './parse-value.ts';
import { pathOperand } from './path-operand.ts';
import { rowsOf } from './path-values.ts';
import type { Predicate } from './predicate.ts';
import { PathResolver, type Scope } from './resolve-path.ts';
import type { ArithmeticNode, PredicateNode, SubqueryNode, ValueNode } from './syntax.ts';

/** Builds operands; how predicates of subqueries are built is given, since both need each other. */
export type PredicateBuilder = (node: PredicateNode, scope: Scope) => Predicate;

export function isConstantNode(node: ValueNode): boolean {
  switch (node.kind) {
    case 'literal':
    case 'list':
      return true;
    case 'arithmetic':
      return isConstantNode(node.left) && isConstantNode(node.right);
    default:
      return false;
  }
}

/** Both sides of an operator; a constant is read in the light of the other side. Throws `QueryError`. */
export function operandPair(
  leftNode: ValueNode,
  rightNode: ValueNode,
  scope: Scope,
  build: PredicateBuilder,
): { left: Operand; right: Operand } {
  if (isConstantNode(rightNode)) {
    const left = operandOf(leftNode, undefined, scope, build);
    return { left, right: operandOf(rightNode, isConstantNode(leftNode) ? undefined : left, scope, build) };
  }
  const right = operandOf(rightNode, undefined, scope, build);
  return { left: operandOf(leftNode, isConstantNode(leftNode) ? right : undefined, scope, build), right };
}

export function operandOf(
  node: ValueNode,
  other: Counterpart,
  scope: Scope,
  build: PredicateBuilder,
): Operand {
  switch (node.kind) {
    case 'literal':
      return literalOperand(node, other, scope);
    case 'list':
      return listOperand(node, other, scope);
    case 'path':
      return pathOperand(node, scope);
    case 'objectKey':
      throw scope.fault(node.at, `${node.text}: ${OBJECT_KEY_FAULT}`);
    case 'subquery':
      return subqueryOperand(node, scope, build);
    case 'arithmetic':
      return arithmeticOperand(node, other, scope, build);
  }
}

const MIXED: OperandType = 'mixed';
const WIDTHS: readonly OperandType[] = ['int', 'float', 'double', 'decimal128'];

function arithmeticOperand(
  node: ArithmeticNode,
  other: Counterpart,
  scope: Scope,
  build: PredicateBuilder,
): Operand {
  const { left, right } = bothNumbers(node, other, scope, build);
  const { operator } = node;
  if (isManyValued(left) && isManyValued(right))
    throw scope.fault(node.at, `'${operator}' cannot be applied to two lists`);
  if (left.constant !== undefined && right.constant !== undefined && !left.isList && !right.isList)
    return literalOperand(
      { kind: 'literal', at: left.at, value: arithmetic(operator, left.constant[0]!, right.constant[0]!) },
      other,
      scope,
    );
  const operations = 1 + (left.operations ?? 0) + (right.operations ?? 0);
  if (operations > MAX_NESTING)
    throw scope.fault(node.at, `a calculation has at most ${MAX_NESTING} operators`);
  const quantifier = left.isList ? left.quantifier : right.quantifier;
  const apply = (a: StateValue, b: StateValue) => arithmetic(operator, a, b);
  const [readLeft, readRight] = [left.read, right.read];
  const binding = operator === '+' || operator === '-' ? 0 : 1;
  const shared = {
    at: left.at,
    type: wider(left.type, right.type),
    ...(quantifier === undefined ? {} : { quantifier }),
    text: `${textIn(left, binding)} ${operator} ${textIn(right, binding + 1)}`,
    binding,
    operations,
    dependencies: joinedDependencies([left.dependencies, right.dependencies]),
  } as const;
  if (readLeft === undefined || readRight === undefined)
    return { ...shared, isList: true, groups: pairwise(left.groups, right.groups, apply) };
  const read: Operand['read'] = (state, key, world) =>
    apply(readLeft(state, key, world), readRight(state, key, world));
  return { ...shared, isList: false, read, groups: groupsOf(read) };
}

function isManyValued({ isList, isKeyed }: Operand): boolean {
  return isList && isKeyed !== true;
}

function bothNumbers(
  node: ArithmeticNode,
  other: Counterpart,
  scope: Scope,
  build: PredicateBuilder,
): { left: Operand; right: Operand } {
  const number = (side: ValueNode, counterpart: Counterpart): Operand => {
    const operand = operandOf(side, counterpart, scope, build);
    if (areComparable(operand.type, 'int')) return operand;
    throw scope.fault(
      operand.at,
      `'${node.operator}' needs numbers, and '${operand.text}' is of type '${operand.type}'`,
    );
  };
  const [leftIsConstant, rightIsConstant] = [isConstantNode(node.left), isConstantNode(node.right)];
  if (leftIsConstant && rightIsConstant) {
    // Constants on both sides take the type of what the result is compared with.
    const hint = other !== undefined && isNumericType(other.type) ? other : undefined;
    return { left: number(node.left, hint), right: number(node.right, hint) };
  }
  if (leftIsConstant) {
    const right = number(node.right, undefined);
    return { left: number(node.left, right), right };
  }
  const left = number(node.left, undefined);
  return { left, right: number(node.right, rightIsConstant ? left : undefined) };
}

function wider(a: OperandType, b: OperandType): OperandType {
  if (!isNumericType(a) || !isNumericType(b)) return MIXED;
  return WIDTHS[Math.max(WIDTHS.indexOf(a), WIDTHS.indexOf(b))]!;
}

function textIn(operand: Operand, binding: number): string {
  return operand.binding < binding ? `(${operand.text})` : operand.text;
}

function pairwise(
  left: GroupReader,
  right: GroupReader,
  apply: (a: StateValue, b: StateValue) => StateValue,
): GroupReader {
  return (state, key, world) => {
    const results: Group[] = [];
    for (const a of left(state, key, world))
      for (const b of right(state, key, world)) {
        const values = a.list
          ? a.values.flatMap((value) => b.values.slice(0, 1).map((other) => apply(value, other)))
          : b.values.flatMap((value) => a.values.slice(0, 1).map((other) => apply(other, value)));
        results.push({ list: a.list || b.list, values });
      }
    return results;
  };
}

function subqueryOperand(node: SubqueryNode, scope: Scope, build: PredicateBuilder): Operand {
  const path = new PathResolver(node.path.elements, scope).resolve();
  const last = path.hops.at(-1);
  if (path.terminal.kind !== 'object' || last === undefined || last.kind === 'link')
    throw scope.fault(node.path.at, `SUBQUERY needs a list of objects, and '${path.text}' is none`);
  const depth = (scope.depth ?? 0) + 1;
  const printed = `$x${depth}`;
  const inner = build(node.predicate, {
    ...scope,
    table: path.table,
    depth,
    variable: { name: node.variable, printed },
  });
  const rows = rowsOf(path);
  const { matches } = inner;
  const read: Operand['read'] = (state, key, world) => {
    let count = 0;
    for (const row of rows(state, key, world)) if (matches(row.state, row.key, world)) count += 1;
    return { type: 'int', value: BigInt(count) };
  };
  const isEmbedded = scope.schema.get(path.table)?.kind === 'embedded';
  return {
    at: node.at,
    type: 'int',
    text: `SUBQUERY(${path.text}, ${printed}, ${inner.text}).@count`,
    binding: 2,
    dependencies: throughPath(path.dependencies, inner.dependencies, isEmbedded),
    isList: false,
    read,
    groups: groupsOf(read),
  };
}
