/** Conditions taken apart at their ANDs, with what each part refers to, so that every part is applied as early as it can be. */
import type { SqlType } from '../../contract.ts';
import type { Condition, Expression } from '../../sql/ast.ts';
import { compileCondition, compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import { convertDatum } from '../../sql/types/convert.ts';
import { commonType } from '../../sql/types/precedence.ts';
import { datumKey } from '../storage/datum-key.ts';
import type { Data, Env } from './environment.ts';
import type { QueryScope } from './query-scope.ts';

/** One side of an equality. */
export type Side = {
  readonly compiled: Compiled<Env>;
  readonly touched: ReadonlySet<number>;
  /** The column that the side is, when it is nothing else. */
  readonly column: { readonly source: number; readonly slot: number } | undefined;
};

export type Conjunct = {
  readonly holds: (env: Env) => boolean | null;
  readonly touched: ReadonlySet<number>;
  readonly usesOuter: boolean;
  /** `left = right`, or `left IN (values)` with the values as several rights. */
  readonly equality:
    | { readonly left: Side; readonly rights: readonly Side[]; readonly common: SqlType }
    | undefined;
  used: boolean;
};

export function splitConjuncts(condition: Condition | undefined, scope: QueryScope): Conjunct[] {
  if (!condition) return [];
  if (condition.kind === 'and') {
    return [...splitConjuncts(condition.left, scope), ...splitConjuncts(condition.right, scope)];
  }
  const outerBefore = scope.usesOuter;
  scope.usesOuter = false;
  const { result: holds, touched } = scope.record(() => compileCondition(condition, scope));
  const usesOuter = scope.usesOuter;
  scope.usesOuter ||= outerBefore;
  return [{ holds, touched, usesOuter, equality: equalityOf(condition, scope), used: false }];
}

function equalityOf(condition: Condition, scope: QueryScope): Conjunct['equality'] {
  if (condition.kind === 'comparison' && condition.operator === '=') {
    const left = sideOf(condition.left, scope);
    const right = sideOf(condition.right, scope);
    if (left.compiled.untypedNull || right.compiled.untypedNull) return undefined;
    return { left, rights: [right], common: commonType(left.compiled.type, right.compiled.type) };
  }
  if (condition.kind === 'inList' && !condition.negated) {
    const left = sideOf(condition.operand, scope);
    const rights = condition.list.map((one) => sideOf(one, scope));
    if (!left.column || rights.some(({ compiled }) => compiled.untypedNull)) return undefined;
    let common = left.compiled.type;
    for (const right of rights) common = commonType(common, right.compiled.type);
    return { left, rights, common };
  }
  return undefined;
}

function sideOf(expression: Expression, scope: QueryScope): Side {
  const { result: compiled, touched } = scope.record(() => compileExpression(expression, scope));
  let column: Side['column'];
  // A COLLATE changes how the column is compared, not what is looked up: the full condition decides in the end.
  const bare = expression.kind === 'collate' ? expression.operand : expression;
  if (bare.kind === 'column' && touched.size === 1) {
    const [source] = touched;
    const found = scope.sources[source!]!.columns.find(
      (one) => one.name.toLowerCase() === bare.parts.at(-1)!.toLowerCase(),
    );
    if (found) column = { source: source!, slot: found.slot };
  }
  return { compiled, touched, column };
}

/**
 * A value's text for looking equal ones up in a hash: equal values have the same text, and unequal ones may (the full
 * condition is asked afterwards). Undefined for NULL, which equals nothing.
 */
export function hashText(side: Compiled<Env>, common: SqlType, env: Env): string | undefined {
  const value = side.evaluate(env);
  if (value === null) return undefined;
  const converted = convertDatum(value, side.type, common, env.run.session.conversion);
  return converted === null ? undefined : datumKey(converted, 'Latin1_General_CI_AI');
}

/** As {@link hashText}, exactly as an index of that collation has it. */
export function seekText(
  side: Compiled<Env>,
  common: SqlType,
  collation: string | undefined,
  env: Env,
): string | undefined {
  const value = side.evaluate(env);
  if (value === null) return undefined;
  const converted = convertDatum(value, side.type, common, env.run.session.conversion);
  return converted === null ? undefined : datumKey(converted, collation);
}

const families: Readonly<Record<string, string>> = {
  tinyint: 'integer',
  smallint: 'integer',
  int: 'integer',
  bigint: 'integer',
  char: 'text',
  varchar: 'text',
  nchar: 'text',
  nvarchar: 'text',
  binary: 'bytes',
  varbinary: 'bytes',
  rowversion: 'bytes',
};

/** Whether a value of `column` has the same key after it was converted to `common`: only then an index can be used. */
export function sameKeys(column: SqlType, common: SqlType): boolean {
  if (column.kind === 'decimal' && common.kind === 'decimal') return column.scale === common.scale;
  if (column.kind === 'text' || column.kind === 'ntext' || column.kind === 'xml') return false;
  return (families[column.kind] ?? column.kind) === (families[common.kind] ?? common.kind);
}

/** Whether rows that are equal by `comparison` have equal keys in an index of `collation`. */
export function seekable(collation: string | undefined, comparison: string | undefined): boolean {
  if (collation === undefined || comparison === undefined || collation === comparison) return true;
  return /_BIN2?$/.test(comparison);
}

export function allHold(conjuncts: readonly Conjunct[], env: Env): boolean {
  for (const conjunct of conjuncts) if (conjunct.holds(env) !== true) return false;
  return true;
}

export type { Data };
