/** ISNULL, COALESCE, NULLIF and CHOOSE. */
import { SqlFailure } from '../../contract.ts';
import { conversionContext, expression, unify } from '../expressions/coerce.ts';
import { collationOf } from '../expressions/collations.ts';
import { compileComparison } from '../expressions/comparison.ts';
import type { Compiled } from '../expressions/scope.ts';
import { checkImplicit, convertDatum } from '../types/convert.ts';
import { isText } from '../types/families.ts';
import { type Application, type FunctionTable, intArgument } from './definition.ts';

/** Has the type of the first argument, to which the second one is converted, and cut if need be. */
function isNull<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const [value, substitute] = args as [Compiled<Env>, Compiled<Env>];
  if (value.untypedNull) return substitute;
  const { type } = value;
  if (!substitute.untypedNull) checkImplicit(substitute.type, type, line);
  const context = conversionContext(scope, value.collation);
  const [first, second, from] = [value.evaluate, substitute.evaluate, substitute.type];
  const evaluate = (env: Env) =>
    first(env) ?? (substitute.untypedNull ? null : convertDatum(second(env), from, type, context));
  const nullable = value.nullable && substitute.nullable;
  return expression(type, args, evaluate, {
    nullable,
    ...(isText(type) ? { collation: collationOf(args, scope.session.collation, line) } : {}),
  });
}

function coalesce<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const message =
    'At least one of the arguments to COALESCE must be an expression that is not the NULL constant.';
  const { type, operands, collation } = unify(args, scope, line, new SqlFailure(4127, message, { line }));
  const evaluate = (env: Env) => {
    for (const operand of operands) {
      const value = operand.evaluate(env);
      if (value !== null) return value;
    }
    return null;
  };
  const nullable = args.every((arg) => arg.nullable);
  return expression(type, args, evaluate, { nullable, ...(isText(type) ? { collation } : {}) });
}

function nullIf<Env>({ args, scope, line }: Application<Env>): Compiled<Env> {
  const [value, other] = args as [Compiled<Env>, Compiled<Env>];
  if (value.untypedNull)
    throw new SqlFailure(
      4151,
      'The type of the first argument to NULLIF cannot be the NULL constant because the type of the first argument has to be known.',
      { line },
    );
  const equal = compileComparison('=', value, other, scope, line);
  const own = value.collation === undefined ? {} : { collation: value.collation };
  return expression(value.type, args, (env) => (equal(env) === true ? null : value.evaluate(env)), {
    nullable: true,
    ...own,
  });
}

function choose<Env>(application: Application<Env>): Compiled<Env> {
  const { args, scope, line } = application;
  const index = intArgument(application, 1);
  const failure = new SqlFailure(
    8133,
    'At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.',
    { line },
  );
  const { type, operands, collation } = unify(args.slice(1), scope, line, failure);
  const evaluate = (env: Env) => {
    const at = index(env);
    return at === null ? null : (operands[Number(at) - 1]?.evaluate(env) ?? null);
  };
  return expression(type, args, evaluate, { nullable: true, ...(isText(type) ? { collation } : {}) });
}

export const NULL_FUNCTIONS: FunctionTable = {
  ISNULL: { minimal: 2, maximal: 2, compile: isNull },
  COALESCE: { minimal: 2, maximal: 250, compile: coalesce },
  NULLIF: { minimal: 2, maximal: 2, compile: nullIf },
  CHOOSE: { minimal: 2, maximal: 250, compile: choose },
};
