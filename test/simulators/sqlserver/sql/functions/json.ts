/** ISJSON, JSON_VALUE, JSON_QUERY and JSON_MODIFY. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { expression } from '../expressions/coerce.ts';
import { collationOf } from '../expressions/collations.ts';
import type { Compiled } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import {
  followPath,
  type Json,
  JsonNumber,
  type JsonPath,
  jsonText,
  parseJson,
  parsePath,
} from '../json-text.ts';
import {
  type Application,
  type FunctionTable,
  INT,
  NVARCHAR_MAX,
  strictText,
  textArgument,
} from './definition.ts';

/** What JSON_VALUE gives at most. */
const LONGEST_VALUE = 4000;
const VALUE: SqlType = { kind: 'nvarchar', length: LONGEST_VALUE };

function isJson<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const evaluate = (env: Env): Datum => {
    const value = text.evaluate(env);
    if (value === null) return null;
    try {
      // Scalars alone count only where a kind is asked for.
      const parsed = parseJson(value as string);
      return typeof parsed === 'object' && parsed !== null && !(parsed instanceof JsonNumber) ? 1n : 0n;
    } catch (error) {
      if (error instanceof SqlFailure) return 0n;
      throw error;
    }
  };
  return expression(INT, [text], evaluate);
}

function isScalar(value: Json): value is null | boolean | string | JsonNumber {
  return value === null || typeof value !== 'object' || value instanceof JsonNumber;
}

function wrongKind(number: 13623 | 13624, what: string): SqlFailure {
  return new SqlFailure(number, `${what} cannot be found in the specified JSON path.`, {
    state: 2,
    line: LINE_OF_STATEMENT,
  });
}

function pathArgument<Env>(application: Application<Env>): readonly Compiled<Env>[] {
  return application.args.length > 1 ? [textArgument(application, 2)] : [];
}

function jsonValue<Env>(application: Application<Env>): Compiled<Env> {
  const parts = [textArgument(application, 1), textArgument(application, 2)];
  const compiled = strictText(application, VALUE, parts, (text, path) =>
    scalarAt(parseJson(text as string), parsePath(path as string)),
  );
  return { ...compiled, nullable: true };
}

function scalarAt(value: Json, path: JsonPath): Datum {
  const found = followPath(value, path);
  if (found === undefined || found === null) return null;
  if (!isScalar(found)) {
    if (path.strict) throw wrongKind(13623, 'Scalar value');
    return null;
  }
  const text = found instanceof JsonNumber ? found.text : String(found);
  if (text.length <= LONGEST_VALUE) return text;
  if (!path.strict) return null;
  throw new SqlFailure(13625, 'String value in the specified JSON path would be truncated.', {
    line: LINE_OF_STATEMENT,
  });
}

function jsonQuery<Env>(application: Application<Env>): Compiled<Env> {
  const parts = [textArgument(application, 1), ...pathArgument(application)];
  const compiled = strictText(application, NVARCHAR_MAX, parts, (text, path) => {
    const steps = parsePath((path as string | undefined) ?? '$');
    const found = followPath(parseJson(text as string), steps);
    if (found !== undefined && !isScalar(found)) return jsonText(found);
    if (found !== undefined && steps.strict) throw wrongKind(13624, 'Object or array');
    return null;
  });
  return { ...compiled, nullable: true };
}

/** Sets, appends or (with NULL, unless strict) removes the value of a property. */
function jsonModify<Env>(application: Application<Env>): Compiled<Env> {
  const { scope, line } = application;
  const [text, path, value] = [1, 2, 3].map((position) => textArgument(application, position)) as [
    Compiled<Env>,
    Compiled<Env>,
    Compiled<Env>,
  ];
  const numeric = application.args[2]!.type.kind !== value.type.kind && !application.args[2]!.untypedNull;
  const nested = application.call.arguments[2]!;
  const isJsonText =
    nested.kind === 'function' && (nested.name === 'JSON_QUERY' || nested.name === 'JSON_MODIFY');
  const evaluate = (env: Env): Datum => {
    const [document, where, to] = [text.evaluate(env), path.evaluate(env), value.evaluate(env)];
    if (document === null || where === null) return null;
    const replacement =
      to === null
        ? null
        : isJsonText
          ? parseJson(to as string)
          : numeric
            ? new JsonNumber(to as string)
            : (to as string);
    return jsonText(modified(parseJson(document as string), where as string, replacement));
  };
  return expression(NVARCHAR_MAX, [text, path, value], evaluate, {
    nullable: true,
    collation: collationOf([text], scope.session.collation, line),
  });
}

function modified(document: Json, written: string, value: Json): Json {
  const append = /^\s*append\s+/i.test(written);
  const { strict, steps } = parsePath(written.replace(/^\s*append\s+/i, ''));
  const change = (at: Json | undefined, depth: number): Json | undefined => {
    if (depth === steps.length) {
      if (append) return Array.isArray(at) ? [...at, value] : at;
      return value === null && !strict ? undefined : value;
    }
    const step = steps[depth]!;
    if (typeof step === 'number') {
      if (!Array.isArray(at) || step >= at.length) return at;
      return at.map((item, index) => (index === step ? (change(item, depth + 1) ?? null) : item));
    }
    if (at === undefined || isScalar(at) || Array.isArray(at)) return at;
    const entries = Object.entries(at);
    const known = Object.hasOwn(at, step);
    if (!known && (strict || depth < steps.length - 1)) return at;
    const changed = change(known ? at[step] : undefined, depth + 1);
    const kept = entries.map(([name, item]): [string, Json | undefined] => [
      name,
      name === step ? changed : item,
    ]);
    const all = known ? kept : [...kept, [step, changed] as [string, Json | undefined]];
    return Object.fromEntries(all.filter((entry): entry is [string, Json] => entry[1] !== undefined));
  };
  return change(document, 0) ?? null;
}

export const JSON_FUNCTIONS: FunctionTable = {
  ISJSON: { minimal: 1, maximal: 1, compile: isJson },
  JSON_VALUE: { minimal: 2, maximal: 2, compile: jsonValue },
  JSON_QUERY: { minimal: 1, maximal: 2, compile: jsonQuery },
  JSON_MODIFY: { minimal: 3, maximal: 3, compile: jsonModify },
};
