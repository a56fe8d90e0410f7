/**
 * A second, naive reading of the language, for comparison: random conditions that are judged by plain recursion and
 * written as text in random spelling. It shares no code with the compiler.
 */

import type { QueryObject, QueryWorld } from '../../src/query/contract.ts';
import { decimalToText } from '../../src/schema/decimal128.ts';
import type { PrimaryKey, ScalarValue } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import type { Random } from '../support/random.ts';

export type Condition = {
  readonly text: string;
  readonly holds: (object: QueryObject, world: QueryWorld) => boolean;
};

/** Values are compared as what they are in JavaScript; the random numbers are small enough for that to be exact. */
type Plain = number | string | boolean | null;

function plain(value: StateValue | undefined): Plain {
  switch (value?.type) {
    case undefined:
    case 'null':
      return null;
    case 'int':
      return Number(value.value);
    case 'decimal128':
      return Number(decimalToText(value));
    case 'link':
      return `link to ${value.table} ${JSON.stringify(value.key, (_, part) => (typeof part === 'bigint' ? `${part}` : part))}`;
    case 'string':
      return `"${value.value}`;
    case 'bool':
    case 'double':
    case 'float':
      return value.value;
    default:
      return `other ${value?.type}`;
  }
}

type Values = { readonly list: boolean; readonly values: readonly Plain[] };
type Operand = { readonly text: string; readonly read: (object: QueryObject, world: QueryWorld) => Values };

const KEYWORDS = {
  and: ['AND', 'and', '&&', 'And'],
  or: ['OR', 'or', '||', 'oR'],
  not: ['NOT', 'not', '!'],
  '==': ['==', '='],
  '!=': ['!=', '<>'],
  '<': ['<'],
  '<=': ['<=', '=<'],
  '>': ['>'],
  '>=': ['>=', '=>'],
  any: ['ANY', 'any', 'SOME'],
  all: ['ALL', 'all'],
  none: ['NONE', 'none'],
} as const;

const SINGLE_NUMBERS: readonly (readonly [string, Plain])[] = [
  ['a', 0],
  ['b', null],
  ['c', 0],
  ['d', null],
];
const NUMBER_LISTS = ['list', 'nullable', 'set'];
const WORDS = ['', 'a', 'ab', 'B', 'abc', 'é', 'É', 'x'];

export class ConditionMaker {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  condition(depth: number): Condition {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.3)) return this.#spaced(this.#comparison(depth));
    switch (random.below(4)) {
      case 0: {
        const child = this.condition(depth - 1);
        return {
          text: `${random.pick(KEYWORDS.not)} (${child.text})`,
          holds: (object, world) => !child.holds(object, world),
        };
      }
      case 1:
        return this.#several('and', depth);
      case 2:
        return this.#several('or', depth);
      default:
        return this.#subquery(depth);
    }
  }

  #spaced({ text, holds }: Condition): Condition {
    return { text: this.#random.chance(0.2) ? `( ${text} )` : text, holds };
  }

  #several(kind: 'and' | 'or', depth: number): Condition {
    const children = Array.from({ length: 2 + this.#random.below(3) }, () => this.condition(depth - 1));
    const text = children.map((child) => `(${child.text})`).join(` ${this.#random.pick(KEYWORDS[kind])} `);
    return {
      text,
      holds: (object, world) =>
        kind === 'and'
          ? children.every((child) => child.holds(object, world))
          : children.some((child) => child.holds(object, world)),
    };
  }

  #subquery(depth: number): Condition {
    const child = this.condition(depth - 1);
    const [path, targets] = this.#random.pick(WAYS);
    const count = this.#random.below(3);
    const operator = this.#random.pick(['==', '!=', '<', '<=', '>', '>='] as const);
    return {
      text: `SUBQUERY(${path}, $v, ${child.text}).@count ${operator} ${count}`,
      holds: (object, world) => {
        const found = targets(object, world).filter((target) => child.holds(target, world));
        return compare(operator, found.length, count);
      },
    };
  }

  #comparison(depth: number): Condition {
    switch (this.#random.below(depth > 0 ? 6 : 5)) {
      case 0:
        return this.#onText();
      case 1:
        return this.#membership();
      case 2:
        return this.#between();
      case 3:
        return this.#onLinks();
      default:
        return this.#onNumbers();
    }
  }

  #onNumbers(): Condition {
    const random = this.#random;
    const operator = random.pick(['==', '!=', '<', '<=', '>', '>='] as const);
    const left = this.#numbers();
    const right = random.chance(0.6) ? this.#number() : this.#numbers();
    return this.#quantified(operator, left, right, (a, b) => compare(operator, a, b));
  }

  #quantified(
    operator: keyof typeof KEYWORDS,
    left: Operand,
    right: Operand,
    test: (a: Plain, b: Plain) => boolean,
  ): Condition {
    const [q, leftText] = this.#quantifier(left);
    const [r, rightText] = this.#quantifier(right);
    return {
      text: `${leftText} ${this.#random.pick(KEYWORDS[operator])} ${rightText}`,
      holds: (object, world) =>
        judge(operator, left.read(object, world), right.read(object, world), q, r, test),
    };
  }

  #quantifier(operand: Operand): ['any' | 'all' | 'none' | undefined, string] {
    const isList = LISTS.test(operand.text);
    if (!isList || this.#random.chance(0.5)) return [undefined, operand.text];
    const quantifier = this.#random.pick(['any', 'all', 'none'] as const);
    return [quantifier, `${this.#random.pick(KEYWORDS[quantifier])} ${operand.text}`];
  }

  /** A number, a calculation, a list of numbers, a number of another object, an aggregate. */
  #numbers(): Operand {
    const random = this.#random;
    switch (random.below(7)) {
      case 0:
        return this.#calculated();
      case 1: {
        const field = random.pick(NUMBER_LISTS);
        return {
          text: field,
          read: ({ state }) => ({ list: true, values: elements(state.fields.get(field)).map(plain) }),
        };
      }
      case 2: {
        const [path, targets, isList] = random.pick(WAYS_TO_VALUES);
        const [field, absent] = random.pick(SINGLE_NUMBERS);
        return {
          text: `${path}.${field}`,
          read: (object, world) => {
            const values = targets(object, world).map((target) => fieldOf(target, field, absent));
            return isList
              ? { list: true, values }
              : { list: false, values: values.length === 0 ? [null] : values };
          },
        };
      }
      case 3:
        return this.#aggregate();
      default:
        return this.#single();
    }
  }

  #single(): Operand {
    const [field, absent] = this.#random.pick(SINGLE_NUMBERS);
    return { text: field, read: (object) => ({ list: false, values: [fieldOf(object, field, absent)] }) };
  }

  #calculated(): Operand {
    const field = this.#random.pick(['a', 'key']);
    const factor = this.#random.below(4);
    const addend = this.#random.below(4);
    const [text, calculate] = this.#random.pick<readonly [string, (value: number) => number]>([
      [`${field} * ${factor} + ${addend}`, (value) => value * factor + addend],
      [`${factor} * (${field} + ${addend})`, (value) => factor * (value + addend)],
      [`${field} - ${factor} - ${addend}`, (value) => value - factor - addend],
      [`${field} - (${factor} - ${addend})`, (value) => value - (factor - addend)],
      [`${field} / ${factor + 1}`, (value) => Math.trunc(value / (factor + 1))],
    ]);
    return {
      text,
      read: (object) => ({ list: false, values: [calculate(Number(fieldOf(object, field, 0)))] }),
    };
  }

  #aggregate(): Operand {
    const [path, targets] = this.#random.pick(WAYS);
    const operator = this.#random.pick(['@min', '@max', '@sum', '@avg', '@count'] as const);
    const field = this.#random.pick(['a', 'b']);
    return {
      text: operator === '@count' ? `${path}.@count` : `${path}.${operator}.${field}`,
      read: (object, world) => {
        const found = targets(object, world);
        const numbers = found
          .map((target) => fieldOf(target, field, field === 'a' ? 0 : null))
          .filter((value) => typeof value === 'number');
        return { list: false, values: [aggregated(operator, numbers, found.length)] };
      },
    };
  }

  #number(): Operand {
    const random = this.#random;
    const value = random.below(6) - 1;
    const spelling = random.pick([
      `${value}`,
      `${value}.0`,
      `${value}e0`,
      `'${value}'`,
      `${value}.5`,
      'NULL',
    ]);
    const meant = spelling === 'NULL' ? null : Number(spelling.replaceAll("'", ''));
    return { text: spelling, read: () => ({ list: false, values: [meant] }) };
  }

  #membership(): Condition {
    const random = this.#random;
    const left = random.chance(0.5) ? this.#single() : this.#numbers();
    const numbers = Array.from({ length: random.below(5) }, () => random.below(6) - 1);
    const hasNull = random.chance(0.2);
    const constants: Plain[] = hasNull ? [...numbers, null] : numbers;
    const right: Operand = {
      text: `{${constants.map((value) => (value === null ? 'null' : String(value))).join(', ')}}`,
      read: () => ({ list: true, values: constants }),
    };
    const made = this.#quantified('==', left, right, (a, b) => compare('==', a, b));
    return random.chance(0.5)
      ? made
      : { ...made, text: made.text.replace(/ ==? (?=(?:ANY|any|SOME|ALL|all|NONE|none)? ?\{)/, ' IN ') };
  }

  #between(): Condition {
    const low = this.#random.below(4) - 1;
    const high = low + this.#random.below(4);
    const value = this.#single();
    return {
      text: `${value.text} BETWEEN {${low}, ${high}}`,
      holds: (object, world) => {
        const [found] = value.read(object, world).values;
        return typeof found === 'number' && found >= low && found <= high;
      },
    };
  }

  #onText(): Condition {
    const random = this.#random;
    const operator = random.pick(['BEGINSWITH', 'ENDSWITH', 'CONTAINS', 'LIKE', '==', '!='] as const);
    const fold = random.chance(0.4);
    const field = random.pick(['s', 'words']);
    const word = random.pick(WORDS);
    const pattern =
      operator === 'LIKE'
        ? random.pick([`${word}*`, `*${word}`, `?${word}`, `*${word}?`, `${word}`, `*${word}*`])
        : word;
    const quote = random.pick(["'", '"']);
    const test = (value: Plain) => textTest(operator, value, pattern, fold);
    const [quantifier, spelled] =
      field === 'words' && random.chance(0.6)
        ? random.pick([
            ['all', 'ALL words'],
            ['none', 'NONE words'],
            ['any', 'ANY words'],
          ] as const)
        : (['any', field] as const);
    return {
      text: `${spelled} ${operator}${fold ? '[c]' : ''} ${quote}${pattern}${quote}`,
      holds: ({ state }) => {
        const value = state.fields.get(field);
        const values = field === 's' ? [plain(value)] : elements(value).map(plain);
        if (quantifier === 'all') return values.every(test);
        return values.some(test) === (quantifier === 'any');
      },
    };
  }

  #onLinks(): Condition {
    const target = this.#random.below(7);
    const operator = this.#random.pick(['==', '!='] as const);
    const isNull = this.#random.chance(0.3);
    const wanted = isNull
      ? null
      : plain({ type: 'link', table: 'Node', key: { type: 'int', value: BigInt(target) } });
    return {
      text: `next ${operator} ${isNull ? 'NULL' : `obj('Node', ${target})`}`,
      holds: (object, world) => {
        const [found] = WAYS_TO_VALUES[0]![1](object, world);
        const link = found === undefined ? null : plain({ type: 'link', table: 'Node', key: found.key });
        return compare(operator, link, wanted);
      },
    };
  }
}

const LISTS =
  /^(?:list|nullable|set|\{.*|many\.(?:next\.)?[a-d]|next\.many\.[a-d]|@links\.Node\.(?:next|many)\.[a-d])$/;

function elements(value: StateValue | undefined): readonly ScalarValue[] {
  if (value?.type === 'set')
    return [...value.items.values()].sort((a, b) => Number(plain(a)) - Number(plain(b)));
  if (value?.type !== 'list') return [];
  return value.items.filter(
    (item) =>
      item.type !== 'object' && item.type !== 'list' && item.type !== 'dictionary' && item.type !== 'set',
  );
}

function fieldOf(object: QueryObject, field: string, absent: Plain): Plain {
  if (field === 'key') return plain(object.key.type === 'globalKey' ? undefined : object.key);
  const value = object.state.fields.get(field);
  return value === undefined ? absent : plain(value);
}

type Way = (object: QueryObject, world: QueryWorld) => readonly QueryObject[];

function targetsOf(value: StateValue | undefined, world: QueryWorld): QueryObject[] {
  const links = value?.type === 'list' ? value.items : [value];
  return links.flatMap((link) => {
    if (link?.type !== 'link') return [];
    const state = world.object('Node', link.key);
    return state === undefined ? [] : [{ key: link.key, state }];
  });
}

function sameKeys(a: PrimaryKey, b: PrimaryKey): boolean {
  return a.type === 'int' && b.type === 'int' && a.value === b.value;
}

const next: Way = ({ state }, world) => targetsOf(state.fields.get('next'), world);
const all: Way = ({ state }, world) => targetsOf(state.fields.get('many'), world);
const linking =
  (field: string): Way =>
  ({ key }, world) =>
    [...world.objects('Node')].flatMap((source) =>
      targetsOf(source.state.fields.get(field), world)
        .filter((target) => sameKeys(target.key, key))
        .map(() => source),
    );
const then =
  (first: Way, second: Way): Way =>
  (object, world) =>
    first(object, world).flatMap((target) => second(target, world));

/** Ways that lead to lists of objects. */
const WAYS: readonly (readonly [string, Way])[] = [
  ['many', all],
  ['@links.Node.next', linking('next')],
  ['@links.Node.many', linking('many')],
];
const WAYS_TO_VALUES: readonly (readonly [string, Way, boolean])[] = [
  ['next', next, false],
  ['next.next', then(next, next), false],
  ['many', all, true],
  ['next.many', then(next, all), true],
  ['many.next', then(all, next), true],
  ['@links.Node.next', linking('next'), true],
  ['@links.Node.many', linking('many'), true],
];

function aggregated(operator: string, numbers: readonly number[], count: number): Plain {
  const sum = numbers.reduce((total, value) => total + value, 0);
  switch (operator) {
    case '@count':
      return count;
    case '@sum':
      return sum;
    case '@avg':
      return numbers.length === 0 ? null : sum / numbers.length;
    case '@min':
      return numbers.length === 0 ? null : Math.min(...numbers);
    default:
      return numbers.length === 0 ? null : Math.max(...numbers);
  }
}

function compare(operator: string, a: Plain, b: Plain): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a !== null && b !== null && a < b;
    case '>':
      return a !== null && b !== null && a > b;
    case '<=':
      return a === null || b === null ? a === b : a <= b;
    default:
      return a === null || b === null ? a === b : a >= b;
  }
}

type Quantifier = 'any' | 'all' | 'none' | undefined;

function over(quantifier: Quantifier, values: readonly Plain[], test: (value: Plain) => boolean): boolean {
  const hits = values.filter(test).length;
  if (quantifier === 'all') return hits === values.length;
  return quantifier === 'none' ? hits === 0 : hits > 0;
}

function judge(
  operator: string,
  left: Values,
  right: Values,
  leftQuantifier: Quantifier,
  rightQuantifier: Quantifier,
  test: (a: Plain, b: Plain) => boolean,
): boolean {
  if (left.list && right.list && leftQuantifier === undefined && rightQuantifier === undefined) {
    if (left.values.length !== right.values.length) return operator === '!=';
    return left.values.every((value, at) => test(value, right.values[at] ?? null));
  }
  return over(leftQuantifier, left.values, (a) => over(rightQuantifier, right.values, (b) => test(a, b)));
}

function textTest(operator: string, value: Plain, pattern: string, fold: boolean): boolean {
  if (typeof value !== 'string') return operator === '!=';
  const form = (text: string) => (fold ? text.toLowerCase() : text);
  const text = form(value.slice(1));
  const part = form(pattern);
  switch (operator) {
    case 'BEGINSWITH':
      return text.slice(0, part.length) === part;
    case 'ENDSWITH':
      return part === '' || text.slice(-part.length) === part;
    case 'CONTAINS':
      return text.indexOf(part) >= 0;
    case 'LIKE':
      return new RegExp(`^${part.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su').test(text);
    case '==':
      return text === part;
    default:
      return text !== part;
  }
}
