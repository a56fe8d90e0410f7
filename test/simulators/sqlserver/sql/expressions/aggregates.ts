/** Aggregates, apart from the compiler: the engine runs one accumulator a group. */
import { type Datum, SqlFailure, type SqlType, type SqlValue } from '../../contract.ts';
import type { FunctionCall } from '../ast.ts';
import { LINE_OF_STATEMENT } from '../failures.ts';
import { comparer, hashKey } from '../types/compare.ts';
import { overflow } from '../types/conversion-context.ts';
import { fitsPrecision, powerOfTen } from '../types/decimal-arithmetic.ts';
import { isApproximate, isCharacter, isInteger, isMoney, isNumeric, isText } from '../types/families.ts';
import { decimalShape, MAXIMAL_PRECISION } from '../types/precedence.ts';
import { fitsRange } from '../types/to-number.ts';
import { messageName } from '../types/type-names.ts';
import { coerce } from './coerce.ts';
import { comparisonCollation } from './collations.ts';
import { compileExpression } from './compile.ts';
import type { Compiled, Scope, Typed } from './scope.ts';

export interface Accumulator {
  /** The argument's value; 1n for COUNT(*). */
  add(value: Datum): void;
  result(): Datum;
}

export type CompiledAggregate<Env> = Typed & {
  /** Absent for COUNT(*). DISTINCT and skipped NULLs are the accumulator's business. */
  readonly argument: Compiled<Env> | undefined;
  readonly start: () => Accumulator;
  /** WITHIN GROUP (ORDER BY …): rows are to be added in this order. */
  readonly order: readonly { readonly key: Compiled<Env>; readonly descending: boolean }[];
};

const AGGREGATES = new Set(['COUNT', 'COUNT_BIG', 'SUM', 'AVG', 'MIN', 'MAX', 'STRING_AGG']);
const AVERAGE_SCALE = 6;

export function isAggregate(call: FunctionCall): boolean {
  return AGGREGATES.has(call.name);
}

export function compileAggregate<Env>(call: FunctionCall, scope: Scope<Env>): CompiledAggregate<Env> {
  const { name, line } = call;
  const expected = call.star ? 0 : name === 'STRING_AGG' ? 2 : 1;
  if (call.arguments.length !== expected || (call.star && !name.startsWith('COUNT')))
    throw new SqlFailure(174, `The ${name.toLowerCase()} function requires ${expected} argument(s).`, {
      severity: 15,
      line,
    });
  const order = (call.withinGroup ?? []).map(({ expression, descending }) => ({
    key: compileExpression(expression, scope),
    descending,
  }));
  if (call.star)
    return { type: countType(name), nullable: false, argument: undefined, start: () => new Count(), order };
  const argument = compileExpression(call.arguments[0]!, scope);
  if (argument.untypedNull)
    throw new SqlFailure(8117, `Operand data type NULL is invalid for ${name.toLowerCase()} operator.`, {
      line,
    });
  const compiled =
    name === 'STRING_AGG' ? stringAggregate(call, argument, scope) : plainAggregate(call, argument, scope);
  if (!call.distinct) return { ...compiled, argument: compiled.argument ?? argument, order };
  const used = compiled.argument ?? argument;
  const key = hashKey(used.type, used.collation?.name ?? scope.session.collation);
  return { ...compiled, argument: used, start: () => new Distinct(compiled.start(), key), order };
}

function countType(name: string): SqlType {
  return { kind: name === 'COUNT_BIG' ? 'bigint' : 'int' };
}

function plainAggregate<Env>(
  call: FunctionCall,
  argument: Compiled<Env>,
  scope: Scope<Env>,
): Typed & { readonly start: () => Accumulator; readonly argument?: Compiled<Env> } {
  const { name, line } = call;
  const { type } = argument;
  if (name.startsWith('COUNT')) return { type: countType(name), nullable: false, start: () => new Count() };
  if (name === 'MIN' || name === 'MAX') {
    if (
      type.kind === 'bit' ||
      type.kind === 'xml' ||
      type.kind === 'text' ||
      type.kind === 'ntext' ||
      type.kind === 'image'
    )
      throw invalidOperand(type, name, line);
    const collation = comparisonCollation([argument], scope.session.collation, name.toLowerCase(), line);
    const compare = comparer(type, collation);
    const wanted = name === 'MIN' ? -1 : 1;
    const own = argument.collation === undefined ? {} : { collation: argument.collation };
    return {
      type,
      nullable: true,
      ...own,
      start: () => new Extreme((a, b) => Math.sign(compare(a, b)) === wanted),
    };
  }
  const result = sumType(name, type, line);
  return { type: result, nullable: true, start: () => new Sum(type, result, name === 'AVG') };
}

function invalidOperand(type: SqlType, name: string, line: number): SqlFailure {
  return new SqlFailure(
    8117,
    `Operand data type ${messageName(type)} is invalid for ${name.toLowerCase()} operator.`,
    { line },
  );
}

function sumType(name: string, type: SqlType, line: number): SqlType {
  if (!isNumeric(type) || type.kind === 'bit') throw invalidOperand(type, name, line);
  if (isApproximate(type)) return { kind: 'float' };
  if (isMoney(type)) return { kind: 'money' };
  if (isInteger(type)) return { kind: type.kind === 'bigint' ? 'bigint' : 'int' };
  const { scale } = decimalShape(type);
  return {
    kind: 'decimal',
    precision: MAXIMAL_PRECISION,
    scale: name === 'AVG' ? Math.max(scale, AVERAGE_SCALE) : scale,
  };
}

function stringAggregate<Env>(
  call: FunctionCall,
  argument: Compiled<Env>,
  scope: Scope<Env>,
): Typed & { readonly start: () => Accumulator; readonly argument: Compiled<Env> } {
  const text = isCharacter(argument.type)
    ? argument
    : coerce(argument, { kind: 'nvarchar', length: 4000 }, scope, call.line);
  if (!isCharacter(text.type)) throw invalidOperand(text.type, 'string_agg', call.line);
  const separator = compileExpression(call.arguments[1]!, scope);
  if (!isText(separator.type) || !separator.constant) {
    const message = `Argument data type ${messageName(separator.type)} is invalid for argument 2 of string_agg function.`;
    throw new SqlFailure(8116, message, { line: call.line });
  }
  const wide = text.type.kind.startsWith('n');
  const limit = text.type.length === 'max' ? undefined : wide ? 4000 : 8000;
  const type: SqlType = { kind: wide ? 'nvarchar' : 'varchar', length: limit ?? 'max' };
  const between = separator.evaluate(undefined as never) as string;
  const own = text.collation === undefined ? {} : { collation: text.collation };
  return { type, nullable: true, ...own, argument: text, start: () => new Joined(between, limit) };
}

class Count implements Accumulator {
  #count = 0n;

  add(value: Datum): void {
    if (value !== null) this.#count++;
  }

  result(): Datum {
    return this.#count;
  }
}

class Extreme implements Accumulator {
  readonly #isBetter: (left: SqlValue, right: SqlValue) => boolean;
  #best: Datum = null;

  constructor(isBetter: (left: SqlValue, right: SqlValue) => boolean) {
    this.#isBetter = isBetter;
  }

  add(value: Datum): void {
    if (value !== null && (this.#best === null || this.#isBetter(value, this.#best))) this.#best = value;
  }

  result(): Datum {
    return this.#best;
  }
}

class Sum implements Accumulator {
  readonly #from: SqlType;
  readonly #type: SqlType;
  readonly #average: boolean;
  #count = 0n;
  #units = 0n;
  #float = 0;

  constructor(from: SqlType, type: SqlType, average: boolean) {
    this.#from = from;
    this.#type = type;
    this.#average = average;
  }

  add(value: Datum): void {
    if (value === null) return;
    this.#count++;
    if (typeof value === 'number') this.#float += value;
    else this.#units += value as bigint;
  }

  result(): Datum {
    if (this.#count === 0n) return null;
    if (isApproximate(this.#type)) return this.#average ? this.#float / Number(this.#count) : this.#float;
    const units = this.#average ? this.#mean() : this.#units;
    const type = this.#type;
    const fits = type.kind === 'decimal' ? fitsPrecision(units, type.precision) : fitsRange(units, type);
    if (!fits) throw overflow('expression', type);
    return units;
  }

  #mean(): bigint {
    const extra = this.#type.kind === 'decimal' ? this.#type.scale - decimalShape(this.#from).scale : 0;
    return (this.#units * powerOfTen(extra)) / this.#count;
  }
}

class Joined implements Accumulator {
  readonly #between: string;
  readonly #limit: number | undefined;
  readonly #parts: string[] = [];

  constructor(between: string, limit: number | undefined) {
    this.#between = between;
    this.#limit = limit;
  }

  add(value: Datum): void {
    if (value !== null) this.#parts.push(value as string);
  }

  result(): Datum {
    if (this.#parts.length === 0) return null;
    const text = this.#parts.join(this.#between);
    if (this.#limit !== undefined && text.length > this.#limit)
      throw new SqlFailure(
        9829,
        'STRING_AGG aggregation result exceeded the limit of 8000 bytes. Use LOB types to avoid result truncation.',
        { line: LINE_OF_STATEMENT },
      );
    return text;
  }
}

class Distinct implements Accumulator {
  readonly #inner: Accumulator;
  readonly #key: (value: SqlValue) => string;
  readonly #seen = new Set<string>();

  constructor(inner: Accumulator, key: (value: SqlValue) => string) {
    this.#inner = inner;
    this.#key = key;
  }

  add(value: Datum): void {
    if (value === null) return;
    const key = this.#key(value);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#inner.add(value);
  }

  result(): Datum {
    return this.#inner.result();
  }
}
