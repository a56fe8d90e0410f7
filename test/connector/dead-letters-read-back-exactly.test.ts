/** What a dead letter holds of a transaction reads back as it was, whatever its values; a property test with a printed seed. */
import { expect, test } from 'vitest';
import type { MergedInstruction } from '../../src/adapter/merged-instruction.ts';
import { letterText, readLetterText } from '../../src/connector/dead-letters/letter-text.ts';
import type { PrimaryKey, ScalarValue } from '../../src/schema/value.ts';
import type { StateValue } from '../../src/store/state/object-state.ts';
import { Random, testSeed } from '../support/random.ts';

const RUNS = 500;
const TEXTS = ['', 'a', '\0', '"\\', '\u2028', '\ud800', '😀', '__proto__', '1', 'constructor'];
const NUMBERS = [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e308];

class Values {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  text = (): string => this.#random.pick(TEXTS) + this.#random.pick(TEXTS);
  integer = (): bigint => this.#random.pick([0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 123n]);

  key(): PrimaryKey {
    return this.#random.pick<() => PrimaryKey>([
      () => ({ type: 'null' }),
      () => ({ type: 'int', value: this.integer() }),
      () => ({ type: 'string', value: this.text() }),
      () => ({ type: 'objectId', value: '0123456789abcdef01234567' }),
      () => ({ type: 'uuid', value: '00000000-0000-4000-8000-000000000001' }),
      () => ({ type: 'globalKey', hi: this.integer(), lo: this.integer() }),
    ])();
  }

  scalar(): ScalarValue {
    return this.#random.pick<() => ScalarValue>([
      () => ({ type: 'null' }),
      () => ({ type: 'int', value: this.integer() }),
      () => ({ type: 'bool', value: this.#random.chance(0.5) }),
      () => ({ type: 'string', value: this.text() }),
      () => ({ type: 'data', value: Uint8Array.from([0, 255, this.#random.below(256)]) }),
      () => ({ type: 'date', seconds: this.integer(), nanoseconds: -this.#random.below(1e9) }),
      () => ({ type: 'float', value: Math.fround(this.#random.pick(NUMBERS)) }),
      () => ({ type: 'double', value: this.#random.pick(NUMBERS) }),
      () => ({ type: 'decimal128', coefficient: 10n ** 33n, exponent: -6176, negative: true }),
      () => ({ type: 'objectId', value: 'ffffffffffffffffffffffff' }),
      () => ({ type: 'uuid', value: '00000000-0000-4000-8000-000000000002' }),
      () => ({ type: 'link', table: this.text(), key: this.key() }),
    ])();
  }

  state(depth = 0): StateValue {
    if (depth > 2 || this.#random.chance(0.6)) return this.scalar();
    return this.#random.pick<() => StateValue>([
      () => ({ type: 'object', fields: this.map(() => this.state(depth + 1)) }),
      () => ({ type: 'list', items: [this.state(depth + 1), this.state(depth + 1)] }),
      () => ({ type: 'dictionary', entries: this.map(() => this.state(depth + 1)) }),
      () => ({ type: 'set', items: this.map(() => this.scalar()) }),
    ])();
  }

  map<T>(value: () => T): Map<string, T> {
    const names = new Set(
      [this.text(), this.text(), this.text()].filter((name) => !name.includes('__proto__')),
    );
    return new Map([...names].sort().map((name) => [name, value()]));
  }

  instruction(): MergedInstruction {
    const object = { table: this.text(), key: this.key() };
    const list = { ...object, property: this.text() };
    const column = { type: 'link', nullable: true, collection: 'list', linkTarget: 'T' } as const;
    const plain = { type: 'int', nullable: false, collection: 'single' } as const;
    return this.#random.pick<() => MergedInstruction>([
      () => ({ type: 'INSERT', ...object, values: this.map(() => this.state()) }),
      () => ({ type: 'SET', ...object, values: this.map(() => this.state()) }),
      () => ({ type: 'DELETE', ...object }),
      () => ({ type: 'CLEAR', table: object.table }),
      () => ({ type: 'LIST_SET', ...list, index: this.#random.below(9), target: this.scalar() }),
      () => ({ type: 'LIST_INSERT', ...list, index: this.#random.below(9), target: this.scalar() }),
      () => ({ type: 'LIST_ERASE', ...list, index: this.#random.below(9) }),
      () => ({ type: 'LIST_CLEAR', ...list }),
      () => ({
        type: 'ADD_TYPE',
        definition: {
          name: 'T',
          kind: 'topLevel',
          primaryKey: { field: 'id', type: 'int', nullable: false },
          columns: new Map([['links', column]]),
        },
      }),
      () => ({
        type: 'ADD_TYPE',
        definition: { name: 'E', kind: 'embedded', columns: new Map([['n', plain]]) },
      }),
      () => ({ type: 'ADD_PROPERTIES', table: 'T', columns: new Map([['n', plain]]) }),
    ])();
  }
}

/** Maps with number-like names come back in another order, which means nothing. */
function ordered(value: unknown): unknown {
  if (value instanceof Map) {
    return new Map(
      [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, item]) => [name, ordered(item)]),
    );
  }
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, ordered(item)]));
}

const seed = testSeed();

test(`every value of every type (ISTHMUS_TEST_SEED=${seed})`, () => {
  const values = new Values(new Random(seed));
  for (let run = 0; run < RUNS; run += 1) {
    const instructions = [values.instruction(), values.instruction()];
    const text = letterText(instructions, () => false);
    expect(text).not.toContain('\0');
    expect(ordered(readLetterText(text)), `run ${run}: ${text}`).toStrictEqual(ordered(instructions));
  }
});

test('bytes that Node keeps in a Buffer, and secrets, which are left out', () => {
  const key = { type: 'int', value: 1n } as const;
  const written: MergedInstruction[] = [
    {
      type: 'SET',
      table: 'T',
      key,
      values: new Map<string, StateValue>([
        ['bytes', { type: 'data', value: Buffer.from('hi') }],
        ['secret', { type: 'string', value: 'hush' }],
      ]),
    },
    {
      type: 'LIST_INSERT',
      table: 'T',
      key,
      property: 'secret',
      index: 0,
      target: { type: 'link', table: 'T', key: { type: 'string', value: 'hush' } },
    },
  ];
  const text = letterText(written, (className, property) => className === 'T' && property === 'secret');
  expect(text).not.toContain('hush');
  expect(readLetterText(text)).toMatchObject([
    {
      values: new Map<string, unknown>([
        ['bytes', { type: 'data', value: new Uint8Array([104, 105]) }],
        ['secret', { type: 'secret' }],
      ]),
    },
    { target: { type: 'secret' } },
  ]);
});

test.each(['', '{', '[{"type":"NO"}]', '{}'])('%s is no letter', (text) => {
  expect(readLetterText(text)).toBeUndefined();
});
