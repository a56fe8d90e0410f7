/** Functions that ask the server about itself, its objects, the session and change tracking. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import type { FunctionCall } from '../../sql/ast.ts';
import { compileExpression } from '../../sql/expressions/compile.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import { trackingFunctions } from '../change-tracking/functions.ts';
import type { Env, Run } from '../executor/environment.ts';
import type { QueryScope } from '../executor/query-scope.ts';
import { objectFunctions } from './object-functions.ts';
import { serverFunctions } from './server-functions.ts';
import { sessionFunctions } from './session-functions.ts';

export const NAME: SqlType = { kind: 'nvarchar', length: 128 };
export const INT: SqlType = { kind: 'int' };
export const BIGINT: SqlType = { kind: 'bigint' };

export type EngineFunction = {
  readonly type: SqlType | ((argumentsGiven: readonly SqlType[]) => SqlType);
  /** How many arguments: at least and at most. */
  readonly arity: readonly [number, number];
  readonly evaluate: (values: readonly Datum[], run: Run, types: readonly SqlType[]) => Datum;
};

export type EngineFunctions = Readonly<Record<string, EngineFunction>>;

const all: ReadonlyMap<string, EngineFunction> = new Map([
  ...Object.entries(objectFunctions),
  ...Object.entries(serverFunctions),
  ...Object.entries(sessionFunctions),
  ...Object.entries(trackingFunctions),
]);

export function compileEngineFunction(call: FunctionCall, scope: QueryScope): Compiled<Env> | undefined {
  const found = all.get(call.name);
  if (!found) return undefined;
  const [least, most] = found.arity;
  if (call.arguments.length < least || call.arguments.length > most) {
    throw new SqlFailure(174, `The ${call.name.toLowerCase()} function requires ${least} argument(s).`, {
      line: call.line,
      severity: 15,
    });
  }
  const given = call.arguments.map((one) => compileExpression(one, scope));
  const types = given.map((one) => one.type);
  const type = typeof found.type === 'function' ? found.type(types) : found.type;
  const isText = /char$/.test(type.kind);
  return {
    type,
    nullable: true,
    ...(isText
      ? { collation: { name: scope.owner.currentDatabase.collation, label: 'coercible' as const } }
      : {}),
    evaluate: (env) =>
      found.evaluate(
        given.map((one) => one.evaluate(env)),
        env.run,
        types,
      ),
  };
}

/** A text argument; undefined for NULL. */
export function text(value: Datum | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** A number argument; undefined for NULL. */
export function number(value: Datum | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function flag(value: boolean): Datum {
  return value ? 1n : 0n;
}
