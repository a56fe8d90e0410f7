/** What a function is to the compiler, and what its body needs. */
import { type Datum, SqlFailure, type SqlType, type SqlValue } from '../../contract.ts';
import type { FunctionCall } from '../ast.ts';
import { coerce, expression } from '../expressions/coerce.ts';
import { collationOf } from '../expressions/collations.ts';
import type { Compiled, Scope } from '../expressions/scope.ts';
import { isBinary, isCharacter, isText } from '../types/families.ts';
import { messageName } from '../types/type-names.ts';

export type Application<Env> = {
  readonly call: FunctionCall;
  /** The name in lower case, as messages have it. */
  readonly name: string;
  readonly line: number;
  readonly args: readonly Compiled<Env>[];
  readonly scope: Scope<Env>;
};

export type FunctionDefinition = {
  readonly minimal: number;
  readonly maximal: number;
  readonly compile: <Env>(application: Application<Env>) => Compiled<Env>;
};

export type FunctionTable = Readonly<Record<string, FunctionDefinition>>;

export const INT: SqlType = { kind: 'int' };
export const BIGINT: SqlType = { kind: 'bigint' };
export const NVARCHAR_MAX: SqlType = { kind: 'nvarchar', length: 'max' };

/** 8116: the function takes no argument of such a type. */
export function invalidArgument<Env>({ name, args, line }: Application<Env>, position: number): SqlFailure {
  const type = args[position - 1]!;
  const shown = type.untypedNull ? 'NULL' : messageName(type.type);
  return new SqlFailure(
    8116,
    `Argument data type ${shown} is invalid for argument ${position} of ${name} function.`,
    { line },
  );
}

/** The argument as an int. */
export function intArgument<Env>(application: Application<Env>, position: number): (env: Env) => Datum {
  const { args, scope, line } = application;
  return coerce(args[position - 1]!, INT, scope, line).evaluate;
}

/** The argument as text: characters as they are, what converts by itself converted. */
export function textArgument<Env>(application: Application<Env>, position: number): Compiled<Env> {
  const { args, scope, line } = application;
  const argument = args[position - 1]!;
  if (argument.untypedNull) return coerce(argument, { kind: 'varchar', length: 1 }, scope, line);
  if (isText(argument.type)) return argument;
  if (argument.type.kind === 'xml' || argument.type.kind === 'image' || argument.type.kind === 'sql_variant')
    throw invalidArgument(application, position);
  return coerce(
    argument,
    { kind: isBinary(argument.type) ? 'varchar' : 'nvarchar', length: 4000 },
    scope,
    line,
  );
}

/** A function of values that is NULL as soon as one of them is. */
export function strict<Env>(
  type: SqlType,
  parts: readonly Compiled<Env>[],
  work: (...values: SqlValue[]) => Datum,
  more: { readonly nullable?: boolean } = {},
): Compiled<Env> {
  const evaluators = parts.map((part) => part.evaluate);
  const evaluate = (env: Env): Datum => {
    const values: SqlValue[] = [];
    for (const each of evaluators) {
      const value = each(env);
      if (value === null) return null;
      values.push(value);
    }
    return work(...values);
  };
  return expression(type, parts, evaluate, more);
}

/** As {@link strict}, with the collation that the texts among `parts` have together. */
export function strictText<Env>(
  application: Application<Env>,
  type: SqlType,
  parts: readonly Compiled<Env>[],
  work: (...values: SqlValue[]) => Datum,
): Compiled<Env> {
  const { scope, line } = application;
  return { ...strict(type, parts, work), collation: collationOf(parts, scope.session.collation, line) };
}

/** varchar or nvarchar as the text is, of another length. */
export function varyingLike(type: SqlType, length: number | 'max'): SqlType {
  const national = type.kind.startsWith('n') || type.kind === 'xml';
  const maximum = national ? 4000 : 8000;
  return {
    kind: national ? 'nvarchar' : 'varchar',
    length: length === 'max' ? 'max' : Math.max(Math.min(length, maximum), 1),
  };
}

export function lengthOfType(type: SqlType): number | 'max' {
  return isCharacter(type) || isBinary(type) ? type.length : 'max';
}

/** Whether characters beyond the BMP count as one, as collations of version 140, with _SC and of UTF-8 have it. */
export function countsSupplementary(collation: string): boolean {
  return /_SC(_|$)|_140_|_UTF8$/i.test(collation);
}
