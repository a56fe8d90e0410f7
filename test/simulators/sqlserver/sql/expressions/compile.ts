/** Compiles expressions to closures over the engine's environment; `conditions.ts` does so for conditions. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { Expression } from '../ast.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { compileFunction } from '../functions/functions.ts';
import { atTimeZone } from '../functions/time-zones.ts';
import { throughCodePage } from '../types/code-page.ts';
import { collation as collationNamed } from '../types/collation.ts';
import { checkExplicit, convertDatum } from '../types/convert.ts';
import { isText, isUnicode } from '../types/families.ts';
import { messageName, resolveTypeName } from '../types/type-names.ts';
import { compileUnary } from './bit-operators.ts';
import { coerce, conversionContext, expression, unify } from './coerce.ts';
import { compileComparison } from './comparison.ts';
import { compileCondition, compileOneColumn } from './conditions.ts';
import { compileBinary } from './operators.ts';
import type { Compiled, CompiledCondition, ExpressionCollation, Scope } from './scope.ts';

export { compileCondition } from './conditions.ts';

/** Infers the type of `node` and compiles it. Throws `SqlFailure` with its line. */
export function compileExpression<Env>(node: Expression, scope: Scope<Env>): Compiled<Env> {
  const { line } = node;
  switch (node.kind) {
    case 'literal':
      return literal(node, scope);
    case 'null':
      return {
        type: { kind: 'int' },
        nullable: true,
        evaluate: () => null,
        untypedNull: true,
        constant: true,
      };
    case 'column':
      return scope.column(node.parts, line);
    case 'variable':
      return scope.variable(node.name, line);
    case 'globalVariable':
      return scope.globalVariable(node.name, line);
    case 'unary':
      return compileUnary(node.operator, compileExpression(node.operand, scope), line);
    case 'binary':
      return compileBinary(
        node.operator,
        compileExpression(node.left, scope),
        compileExpression(node.right, scope),
        scope,
        line,
      );
    case 'case':
      return compileSimpleCase(node, scope);
    case 'searchedCase':
      return compileBranches(
        node.branches.map(({ when, result }) => [
          compileCondition(when, scope),
          compileExpression(result, scope),
        ]),
        node.otherwise,
        scope,
        line,
      );
    case 'function':
      return scope.call(node) ?? compileFunction(node, scope);
    case 'convert':
      return compileConvert(node, scope);
    case 'collate':
      return compileCollate(compileExpression(node.operand, scope), node.collation, scope, line);
    case 'atTimeZone':
      return atTimeZone(
        compileExpression(node.operand, scope),
        compileExpression(node.zone, scope),
        scope,
        line,
      );
    case 'subquery':
      return compileScalarSubquery(node, scope);
    case 'nextValueFor':
      return scope.nextValueFor(node.sequence, line);
  }
}

function literal<Env>(
  node: Extract<Expression, { readonly kind: 'literal' }>,
  scope: Scope<Env>,
): Compiled<Env> {
  const { type } = node;
  if (!isText(type)) {
    const digits = type.kind === 'int' ? { constantDigits: String(node.value).length } : {};
    return { type, nullable: false, evaluate: () => node.value, constant: true, ...digits };
  }
  const { collation } = scope.session;
  const text = node.value as string;
  const value = isUnicode(type) ? text : throughCodePage(text, collation);
  return {
    type,
    nullable: false,
    collation: { name: collation, label: 'coercible' },
    evaluate: () => value,
    constant: true,
  };
}

function compileSimpleCase<Env>(
  node: Extract<Expression, { readonly kind: 'case' }>,
  scope: Scope<Env>,
): Compiled<Env> {
  const operand = compileExpression(node.operand!, scope);
  const branches = node.branches.map(({ when, result }): Branch<Env> => {
    const test = compileComparison('=', operand, compileExpression(when, scope), scope, node.line);
    return [test, compileExpression(result, scope)];
  });
  return compileBranches(branches, node.otherwise, scope, node.line);
}

type Branch<Env> = readonly [CompiledCondition<Env>, Compiled<Env>];

function compileBranches<Env>(
  branches: readonly Branch<Env>[],
  otherwise: Expression | undefined,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  const last = otherwise === undefined ? undefined : compileExpression(otherwise, scope);
  const results = [...branches.map(([, result]) => result), ...(last === undefined ? [] : [last])];
  const message =
    'At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.';
  const { type, operands, collation } = unify(results, scope, line, new SqlFailure(8133, message, { line }));
  const tests = branches.map(([test]) => test);
  const evaluate = (env: Env): Datum => {
    const at = tests.findIndex((test) => test(env) === true);
    return (at < 0 ? operands[tests.length] : operands[at])?.evaluate(env) ?? null;
  };
  const nullable = last === undefined || results.some((result) => result.nullable);
  return {
    ...expression(type, [], evaluate, { nullable, ...(isText(type) ? { collation } : {}) }),
    constant: false,
  };
}

function compileConvert<Env>(
  node: Extract<Expression, { readonly kind: 'convert' }>,
  scope: Scope<Env>,
): Compiled<Env> {
  const { line, attempt } = node;
  const operand = compileExpression(node.operand, scope);
  const type = resolveTypeName(node.type, 'cast');
  if (!operand.untypedNull) checkExplicit(operand.type, type, line);
  const style =
    node.style === undefined
      ? undefined
      : coerce(compileExpression(node.style, scope), { kind: 'int' }, scope, line);
  const collation: ExpressionCollation | undefined = isText(type)
    ? (operand.collation ?? { name: scope.session.collation, label: 'coercible' })
    : undefined;
  const convert = conversion(operand, type, style, scope);
  const evaluate = attempt ? attempted(convert) : convert;
  const nullable = attempt || operand.nullable;
  return expression(type, style === undefined ? [operand] : [operand, style], evaluate, {
    nullable,
    ...(collation === undefined ? {} : { collation }),
  });
}

function conversion<Env>(
  operand: Compiled<Env>,
  type: Compiled<Env>['type'],
  style: Compiled<Env> | undefined,
  scope: Scope<Env>,
): (env: Env) => Datum {
  const { evaluate, type: from } = operand;
  const context = conversionContext(scope, operand.collation);
  if (style === undefined) return (env) => convertDatum(evaluate(env), from, type, context);
  return (env) => {
    const value = evaluate(env);
    const number = style.evaluate(env);
    return number === null ? null : convertDatum(value, from, type, { ...context, style: Number(number) });
  };
}

/** NULL in place of a failed conversion. */
function attempted<Env>(convert: (env: Env) => Datum): (env: Env) => Datum {
  return (env) => {
    try {
      return convert(env);
    } catch (error) {
      if (error instanceof SqlFailure) return null;
      throw error;
    }
  };
}

function compileCollate<Env>(
  operand: Compiled<Env>,
  written: string,
  scope: Scope<Env>,
  line: number,
): Compiled<Env> {
  if (!operand.untypedNull && !isText(operand.type))
    throw new SqlFailure(447, `Expression type ${messageName(operand.type)} is invalid for COLLATE clause.`, {
      line,
    });
  const isDefault = /^(database_default|catalog_default)$/i.test(written);
  const { name } = collationNamed(isDefault ? scope.session.collation : written, line);
  const { columnName: _name, identity: _identity, ...rest } = operand;
  const collation: ExpressionCollation = { name, label: 'explicit' };
  if (isUnicode(operand.type)) return { ...rest, collation };
  const { evaluate } = operand;
  return {
    ...rest,
    collation,
    evaluate: (env) => {
      const value = evaluate(env);
      return typeof value === 'string' ? throughCodePage(value, name) : value;
    },
  };
}

function compileScalarSubquery<Env>(
  node: Extract<Expression, { readonly kind: 'subquery' }>,
  scope: Scope<Env>,
): Compiled<Env> {
  const { column, rows } = compileOneColumn(node.query, scope, node.line);
  const evaluate = (env: Env): Datum => {
    let result: Datum | undefined;
    for (const row of rows(env)) {
      if (result !== undefined) throw severalRows();
      result = row[0] ?? null;
    }
    return result ?? null;
  };
  return expression<Env>(column.type, [], evaluate, {
    nullable: true,
    ...(column.collation === undefined ? {} : { collation: column.collation }),
  });
}

function severalRows(): SqlFailure {
  const message =
    'Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.';
  return new SqlFailure(512, message, { line: LINE_OF_STATEMENT });
}
