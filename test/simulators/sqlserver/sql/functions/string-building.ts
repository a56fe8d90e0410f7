/** Functions that make text: REPLICATE, SPACE, CONCAT, QUOTENAME. */
import type { Datum, SqlType } from '../../contract.ts';
import { coerce, conversionContext, expression } from '../expressions/coerce.ts';
import { collationOf } from '../expressions/collations.ts';
import type { Compiled } from '../expressions/scope.ts';
import { convertDatum } from '../types/convert.ts';
import { isCharacter, isUnicode } from '../types/families.ts';
import {
  type Application,
  BIGINT,
  type FunctionDefinition,
  type FunctionTable,
  INT,
  lengthOfType,
  strict,
  strictText,
  textArgument,
  varyingLike,
} from './definition.ts';

/** Room for the text of a value that is no text. */
const LENGTH_OF_OTHER_TYPES = 50;

function replicate<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const count = coerce(application.args[1]!, BIGINT, application.scope, application.line);
  const type = varyingLike(text.type, lengthOfType(text.type) === 'max' ? 'max' : 8000);
  const limit = lengthOfType(type);
  return strictText(application, type, [text, count], (value, times) => {
    if (Number(times) < 0) return null;
    const repeated = (value as string).repeat(
      limit === 'max' ? Number(times) : Math.min(Number(times), limit),
    );
    return limit === 'max' ? repeated : repeated.slice(0, limit);
  });
}

function space<Env>(application: Application<Env>): Compiled<Env> {
  const count = coerce(application.args[0]!, INT, application.scope, application.line);
  const collated = collationOf([], application.scope.session.collation, application.line);
  return {
    ...strict({ kind: 'varchar', length: 8000 }, [count], (times) =>
      Number(times) < 0 ? null : ' '.repeat(Math.min(Number(times), 8000)),
    ),
    collation: collated,
  };
}

/** CONCAT and CONCAT_WS: NULL is nothing. */
function concat(withSeparator: boolean): FunctionDefinition['compile'] {
  return <Env>({ args, scope, line }: Application<Env>) => {
    const wide = args.some((arg) => isUnicode(arg.type));
    const lengths = args.map((arg) =>
      arg.untypedNull ? 0 : isCharacter(arg.type) ? arg.type.length : LENGTH_OF_OTHER_TYPES,
    );
    const total = lengths.some((each) => each === 'max')
      ? 'max'
      : (lengths as number[]).reduce(
          (sum, each) => sum + each,
          withSeparator ? args.length * Number(lengths[0]) : 0,
        );
    const type = varyingLike({ kind: wide ? 'nvarchar' : 'varchar', length: 1 }, total);
    const collated = collationOf(args, scope.session.collation, line);
    const text: SqlType = { kind: wide ? 'nvarchar' : 'varchar', length: 'max' };
    const context = conversionContext(scope, collated);
    const convert = (arg: Compiled<Env>, env: Env): string | null =>
      convertDatum(arg.evaluate(env), arg.type, text, context) as string | null;
    const limit = lengthOfType(type);
    const evaluate = (env: Env): Datum => {
      const separator = withSeparator ? (convert(args[0]!, env) ?? '') : '';
      const parts: string[] = [];
      for (const arg of withSeparator ? args.slice(1) : args) {
        const part = convert(arg, env);
        if (part !== null) parts.push(part);
      }
      const joined = parts.join(separator);
      return limit === 'max' ? joined : joined.slice(0, limit);
    };
    return expression(type, args, evaluate, { nullable: false, collation: collated });
  };
}

const CLOSING_QUOTES: Readonly<Record<string, string>> = {
  '[': ']',
  ']': ']',
  '"': '"',
  "'": "'",
  '`': '`',
  '(': ')',
  ')': ')',
  '{': '}',
  '}': '}',
  '<': '>',
  '>': '>',
};
const OPENING_QUOTES: Readonly<Record<string, string>> = { ']': '[', ')': '(', '}': '{', '>': '<' };
const LONGEST_NAME = 128;

function quoteName<Env>(application: Application<Env>): Compiled<Env> {
  const { args } = application;
  const text = textArgument(application, 1);
  const quote = args.length > 1 ? [textArgument(application, 2)] : [];
  return strictText(application, { kind: 'nvarchar', length: 258 }, [text, ...quote], (value, character) => {
    const name = value as string;
    const first = ((character as string | undefined) ?? '[')[0] ?? '[';
    const close = CLOSING_QUOTES[first];
    if (close === undefined || name.length > LONGEST_NAME) return null;
    return `${OPENING_QUOTES[first] ?? first}${name.replaceAll(close, close + close)}${close}`;
  });
}

export const STRING_BUILDING_FUNCTIONS: FunctionTable = {
  REPLICATE: { minimal: 2, maximal: 2, compile: replicate },
  SPACE: { minimal: 1, maximal: 1, compile: space },
  CONCAT: { minimal: 2, maximal: 254, compile: concat(false) },
  CONCAT_WS: { minimal: 3, maximal: 254, compile: concat(true) },
  QUOTENAME: { minimal: 1, maximal: 2, compile: quoteName },
};
