/** Functions that cut, join, search and replace text. */
import { type Datum, SqlFailure, type SqlType } from '../../contract.ts';
import { coerce, expression } from '../expressions/coerce.ts';
import { collationOf, comparisonCollation } from '../expressions/collations.ts';
import type { Compiled } from '../expressions/scope.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { collation, withoutTrailingSpaces } from '../types/collation.ts';
import { isBinary, isCharacter, isUnicode } from '../types/families.ts';
import { storedBytes } from '../types/stored-bytes.ts';
import {
  type Application,
  BIGINT,
  countsSupplementary,
  type FunctionDefinition,
  type FunctionTable,
  INT,
  lengthOfType,
  strict,
  strictText,
  textArgument,
  varyingLike,
} from './definition.ts';

/** Characters as the collation counts them. */
function characters<Env>(
  text: Compiled<Env>,
  { scope, line }: Application<Env>,
): { length(value: string): number; slice(value: string, from: number, to: number): string } {
  const { name } = collationOf([text], scope.session.collation, line);
  if (!countsSupplementary(name))
    return { length: (value) => value.length, slice: (value, from, to) => value.slice(from, to) };
  return {
    length: (value) => [...value].length,
    slice: (value, from, to) => [...value].slice(from, to).join(''),
  };
}

function length<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const count = characters(text, application);
  const type = lengthOfType(text.type) === 'max' ? BIGINT : INT;
  return strict(type, [text], (value) => BigInt(count.length(withoutTrailingSpaces(value as string))));
}

function negativeLength(name: string): SqlFailure {
  return new SqlFailure(536, `Invalid length parameter passed to the ${name} function.`, {
    line: LINE_OF_STATEMENT,
  });
}

function constantLength<Env>(argument: Compiled<Env>, fallback: number | 'max'): number | 'max' {
  if (!argument.constant) return fallback;
  const value = argument.evaluate(undefined as never);
  return typeof value === 'bigint' && value > 0n && (fallback === 'max' || value < BigInt(fallback))
    ? Number(value)
    : fallback;
}

function side(fromLeft: boolean): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const text = textArgument(application, 1);
    const units = characters(text, application);
    const count = coerce(application.args[1]!, INT, application.scope, application.line);
    const type = varyingLike(text.type, constantLength(count, lengthOfType(text.type)));
    return strictText(application, type, [text, count], (value, wanted) => {
      if (Number(wanted) < 0) throw negativeLength(application.name);
      const all = value as string;
      const size = units.length(all);
      return fromLeft
        ? units.slice(all, 0, Number(wanted))
        : units.slice(all, Math.max(size - Number(wanted), 0), size);
    });
  };
}

function substring<Env>(application: Application<Env>): Compiled<Env> {
  const [value] = application.args as [Compiled<Env>];
  const { scope, line } = application;
  const [start, count] = [
    coerce(application.args[1]!, BIGINT, scope, line),
    coerce(application.args[2]!, BIGINT, scope, line),
  ];
  const range = (from: unknown, wanted: unknown): readonly [number, number] => {
    const [first, size] = [Number(from), Number(wanted)];
    if (size < 0) throw negativeLength('substring');
    return [Math.max(first - 1, 0), Math.max(first - 1 + size, 0)];
  };
  if (isBinary(value.type) || value.type.kind === 'image') {
    const type: SqlType = { kind: 'varbinary', length: constantLength(count, lengthOfType(value.type)) };
    return strict(type, [value, start, count], (bytes, from, wanted) =>
      (bytes as Uint8Array).slice(...range(from, wanted)),
    );
  }
  const text = textArgument(application, 1);
  const units = characters(text, application);
  const type = varyingLike(text.type, constantLength(count, lengthOfType(text.type)));
  return strictText(application, type, [text, start, count], (all, from, wanted) =>
    units.slice(all as string, ...range(from, wanted)),
  );
}

function stuff<Env>(application: Application<Env>): Compiled<Env> {
  const { scope, line } = application;
  const [text, start, count] = [
    textArgument(application, 1),
    coerce(application.args[1]!, INT, scope, line),
    coerce(application.args[2]!, INT, scope, line),
  ];
  const insert = textArgument(application, 4);
  const wide = isUnicode(text.type) || isUnicode(insert.type);
  const type = varyingLike(
    { kind: wide ? 'nvarchar' : 'varchar', length: 1 },
    lengthOfType(text.type) === 'max' ? 'max' : 8000,
  );
  const inserted = insert.evaluate;
  const evaluate = (env: Env): Datum => {
    const [all, from, size] = [text.evaluate(env), start.evaluate(env), count.evaluate(env)];
    if (all === null || from === null || size === null) return null;
    const [whole, at, gone] = [all as string, Number(from) - 1, Number(size)];
    if (at < 0 || at >= whole.length || gone < 0) return null;
    return whole.slice(0, at) + ((inserted(env) as string | null) ?? '') + whole.slice(at + gone);
  };
  return expression(type, [text, start, count, insert], evaluate, {
    nullable: true,
    collation: collationOf([text, insert], scope.session.collation, line),
  });
}

function changed(change: (text: string) => string): FunctionDefinition['compile'] {
  return <Env>(application: Application<Env>) => {
    const text = textArgument(application, 1);
    const type = isCharacter(text.type) ? varyingLike(text.type, text.type.length) : text.type;
    return strictText(application, type, [text], (value) => change(value as string));
  };
}

/** Case by case: a letter whose counterpart is longer stays. */
const upper = (text: string): string =>
  text.replace(/./gsu, (each) => (each.toUpperCase().length === each.length ? each.toUpperCase() : each));
const lower = (text: string): string =>
  text.replace(/./gsu, (each) => (each.toLowerCase().length === each.length ? each.toLowerCase() : each));

function trim<Env>(application: Application<Env>): Compiled<Env> {
  const text = textArgument(application, 1);
  const type = varyingLike(text.type, lengthOfType(text.type));
  if (application.args.length === 1)
    return strictText(application, type, [text], (value) => (value as string).replace(/^ +| +$/g, ''));
  return strictText(application, type, [text, textArgument(application, 2)], (value, set) => {
    const [all, gone] = [value as string, set as string];
    let [from, to] = [0, all.length];
    while (from < to && gone.includes(all[from]!)) from++;
    while (to > from && gone.includes(all[to - 1]!)) to--;
    return all.slice(from, to);
  });
}

/** Finds `part` by the collation, from a position on; -1 for none. */
function finder(name: string, line: number): (text: string, part: string, from: number) => number {
  const { fold } = collation(name, line);
  return (text, part, from) => {
    const [folded, wanted] = [fold(text), fold(part)];
    // Where folding changes lengths, positions would lie.
    return folded.length === text.length ? folded.indexOf(wanted, from) : text.indexOf(part, from);
  };
}

function charIndex<Env>(application: Application<Env>): Compiled<Env> {
  const { scope, line, args } = application;
  const [part, text] = [textArgument(application, 1), textArgument(application, 2)];
  const find = finder(comparisonCollation([part, text], scope.session.collation, 'charindex', line), line);
  const start = args.length > 2 ? [coerce(args[2]!, BIGINT, scope, line)] : [];
  const type = lengthOfType(text.type) === 'max' ? BIGINT : INT;
  return strict(type, [part, text, ...start], (wanted, all, from) => {
    if (wanted === '') return 0n;
    return BigInt(find(all as string, wanted as string, Math.max(Number(from ?? 1n) - 1, 0)) + 1);
  });
}

function replace<Env>(application: Application<Env>): Compiled<Env> {
  const { scope, line } = application;
  const parts = [1, 2, 3].map((position) => textArgument(application, position));
  const find = finder(comparisonCollation(parts, scope.session.collation, 'replace', line), line);
  const wide = parts.some((part) => isUnicode(part.type));
  const type = varyingLike(
    { kind: wide ? 'nvarchar' : 'varchar', length: 1 },
    lengthOfType(parts[0]!.type) === 'max' ? 'max' : 8000,
  );
  return strictText(application, type, parts, (value, old, substitute) => {
    const [text, part] = [value as string, old as string];
    if (part === '') return text;
    let result = '';
    let at = 0;
    for (;;) {
      const found = find(text, part, at);
      if (found < 0) return result + text.slice(at);
      result += text.slice(at, found) + (substitute as string);
      at = found + part.length;
    }
  });
}

function dataLength<Env>({ args: [value] }: Application<Env>): Compiled<Env> {
  const argument = value!;
  const type =
    lengthOfType(argument.type) === 'max' && (isCharacter(argument.type) || isBinary(argument.type))
      ? BIGINT
      : INT;
  return strict(type, [argument], (datum) =>
    BigInt(storedBytes(datum, argument.type, argument.collation?.name ?? '')),
  );
}

export const STRING_FUNCTIONS: FunctionTable = {
  LEN: { minimal: 1, maximal: 1, compile: length },
  DATALENGTH: { minimal: 1, maximal: 1, compile: dataLength },
  LEFT: { minimal: 2, maximal: 2, compile: side(true) },
  RIGHT: { minimal: 2, maximal: 2, compile: side(false) },
  SUBSTRING: { minimal: 3, maximal: 3, compile: substring },
  STUFF: { minimal: 4, maximal: 4, compile: stuff },
  UPPER: { minimal: 1, maximal: 1, compile: changed(upper) },
  LOWER: { minimal: 1, maximal: 1, compile: changed(lower) },
  LTRIM: { minimal: 1, maximal: 1, compile: changed((text) => text.replace(/^ +/, '')) },
  RTRIM: { minimal: 1, maximal: 1, compile: changed((text) => text.replace(/ +$/, '')) },
  REVERSE: { minimal: 1, maximal: 1, compile: changed((text) => text.split('').reverse().join('')) },
  TRIM: { minimal: 1, maximal: 2, compile: trim },
  CHARINDEX: { minimal: 2, maximal: 3, compile: charIndex },
  REPLACE: { minimal: 3, maximal: 3, compile: replace },
};
