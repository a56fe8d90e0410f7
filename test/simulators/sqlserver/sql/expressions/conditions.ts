/** Conditions in three-valued logic: true, false, and `null` for UNKNOWN. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { ComparisonOperator, Condition, Expression, QueryExpression } from '../ast.ts';
import { collation } from '../types/collation.ts';
import { isCharacter, isLargeObject } from '../types/families.ts';
import { coerce } from './coerce.ts';
import { comparisonCollation } from './collations.ts';
import { compileComparison } from './comparison.ts';
import { compileExpression } from './compile.ts';
import { likeMatcher } from './like.ts';
import type { Compiled, CompiledCondition, Scope } from './scope.ts';

const LARGEST_TEXT: SqlType = { kind: 'nvarchar', length: 'max' };

export function compileCondition<Env>(condition: Condition, scope: Scope<Env>): CompiledCondition<Env> {
  const { line } = condition;
  const scalar = (operand: Expression): Compiled<Env> => compileExpression(operand, scope);
  switch (condition.kind) {
    case 'and':
      return both(compileCondition(condition.left, scope), compileCondition(condition.right, scope));
    case 'or':
      return either(compileCondition(condition.left, scope), compileCondition(condition.right, scope));
    case 'not':
      return not(compileCondition(condition.operand, scope));
    case 'comparison':
      return compileComparison(
        condition.operator,
        scalar(condition.left),
        scalar(condition.right),
        scope,
        line,
      );
    case 'isNull': {
      const { evaluate } = scalar(condition.operand);
      const { negated } = condition;
      return (env) => (evaluate(env) === null) !== negated;
    }
    case 'like':
      return when(condition.negated, compileLike(condition, scope));
    case 'between': {
      const operand = scalar(condition.operand);
      const low = compileComparison('>=', operand, scalar(condition.low), scope, line);
      const high = compileComparison('<=', operand, scalar(condition.high), scope, line);
      return when(condition.negated, both(low, high));
    }
    case 'inList': {
      const operand = scalar(condition.operand);
      const tests = condition.list.map((item) => compileComparison('=', operand, scalar(item), scope, line));
      return when(condition.negated, any(tests));
    }
    case 'exists': {
      const query = scope.subquery(condition.query);
      return (env) => {
        for (const _ of query.rows(env)) return true;
        return false;
      };
    }
    case 'inQuery':
      return when(
        condition.negated,
        compileQuantified('=', 'any', scalar(condition.operand), condition.query, scope, line),
      );
    case 'quantified':
      return compileQuantified(
        condition.operator,
        condition.quantifier,
        scalar(condition.operand),
        condition.query,
        scope,
        line,
      );
  }
}

function when<Env>(negated: boolean, condition: CompiledCondition<Env>): CompiledCondition<Env> {
  return negated ? not(condition) : condition;
}

function not<Env>(operand: CompiledCondition<Env>): CompiledCondition<Env> {
  return (env) => {
    const value = operand(env);
    return value === null ? null : !value;
  };
}

function both<Env>(left: CompiledCondition<Env>, right: CompiledCondition<Env>): CompiledCondition<Env> {
  return (env) => {
    const a = left(env);
    if (a === false) return false;
    const b = right(env);
    if (b === false) return false;
    return a === null || b === null ? null : true;
  };
}

function either<Env>(left: CompiledCondition<Env>, right: CompiledCondition<Env>): CompiledCondition<Env> {
  return any([left, right]);
}

function any<Env>(tests: readonly CompiledCondition<Env>[]): CompiledCondition<Env> {
  return (env) => {
    let result: boolean | null = false;
    for (const test of tests) {
      const value = test(env);
      if (value === true) return true;
      if (value === null) result = null;
    }
    return result;
  };
}

function compileLike<Env>(
  condition: Extract<Condition, { readonly kind: 'like' }>,
  scope: Scope<Env>,
): CompiledCondition<Env> {
  const { line } = condition;
  const text = asText(compileExpression(condition.operand, scope), 1, scope, line);
  const pattern = asText(compileExpression(condition.pattern, scope), 2, scope, line);
  const escaping = condition.escape && asText(compileExpression(condition.escape, scope), 3, scope, line);
  const name = comparisonCollation([text, pattern], scope.session.collation, 'like', line);
  const matches = likeMatcher(collation(name, line));
  return (env) => {
    const [a, b] = [text.evaluate(env), pattern.evaluate(env)];
    const c = escaping === undefined ? null : escaping.evaluate(env);
    if (a === null || b === null || (escaping !== undefined && c === null)) return null;
    return matches(a as string, b as string, c as string | null);
  };
}

function asText<Env>(
  operand: Compiled<Env>,
  position: number,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (isCharacter(operand.type) || operand.type.kind === 'text' || operand.type.kind === 'ntext')
    return operand;
  if (isLargeObject(operand.type) || operand.type.kind === 'xml')
    throw new SqlFailure(
      8116,
      `Argument data type ${operand.type.kind} is invalid for argument ${position} of like function.`,
      { line },
    );
  return coerce(operand, LARGEST_TEXT, scope, line);
}

/** Throws 116 for a subquery of more than one column. */
export function compileOneColumn<Env>(
  query: QueryExpression,
  scope: Scope<Env>,
  line: number,
): {
  readonly column: Compiled<{ readonly value: Datum }>;
  readonly rows: (env: Env) => Iterable<readonly Datum[]>;
} {
  const compiled = scope.subquery(query);
  const [column] = compiled.columns;
  if (column === undefined || compiled.columns.length !== 1) {
    const message =
      'Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.';
    throw new SqlFailure(116, message, { line });
  }
  return { column: { ...column, evaluate: ({ value }) => value }, rows: compiled.rows };
}

function compileQuantified<Env>(
  operator: ComparisonOperator,
  quantifier: 'any' | 'all',
  operand: Compiled<Env>,
  query: QueryExpression,
  scope: Scope<Env>,
  line: number,
): CompiledCondition<Env> {
  const { column, rows } = compileOneColumn(query, scope, line);
  type Pair = { readonly left: Datum; readonly value: Datum };
  const left: Compiled<Pair> = { ...operand, evaluate: ({ left: value }) => value };
  const test = compileComparison<Pair>(operator, left, column, scope as unknown as Scope<Pair>, line);
  const decisive = quantifier === 'any';
  return (env) => {
    const value = operand.evaluate(env);
    let result: boolean | null = !decisive;
    for (const row of rows(env)) {
      const found = test({ left: value, value: row[0] ?? null });
      if (found === decisive) return decisive;
      if (found === null) result = null;
    }
    return result;
  };
}
