import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { keyToken, NULL, type PrimaryKey, type ScalarValue } from '../../../src/schema/value.ts';
import { inTransaction, openDatabase } from '../../../src/store/sqlite/database.ts';
import { ObjectTable } from '../../../src/store/sqlite/object-table.ts';
import { SchemaTable } from '../../../src/store/sqlite/schema-table.ts';
import { STATE_TABLES } from '../../../src/store/sqlite/state-tables.ts';
import { WorkingView } from '../../../src/store/sqlite/working-view.ts';
import { applyInstruction, applyInstructions } from '../../../src/store/state/apply.ts';
import type { ObjectState } from '../../../src/store/state/object-state.ts';
import { MemoryView, type StateView } from '../../../src/store/state/view.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';

const column = (type: 'string' | 'int' | 'decimal128', nullable = false) =>
  ({ type, nullable, collection: 'single' }) as const;

const SCHEMA: Instruction[] = (['Number', 'Text'] as const).flatMap((table): Instruction[] => [
  {
    op: 'AddTable',
    table,
    kind: 'topLevel',
    primaryKey: { field: 'id', type: table === 'Number' ? 'int' : 'string', nullable: true },
  },
  { op: 'AddColumn', table, field: 'name', column: column('string', true) },
  { op: 'AddColumn', table, field: 'count', column: column('int') },
  { op: 'AddColumn', table, field: 'price', column: column('decimal128') },
  {
    op: 'AddColumn',
    table,
    field: 'next',
    column: { type: 'link', nullable: true, collection: 'single', linkTarget: 'Number' },
  },
  {
    op: 'AddColumn',
    table,
    field: 'tags',
    column: { type: 'string', nullable: false, collection: 'list' },
  },
]);
SCHEMA.sort((a, b) => Number(b.op === 'AddTable') - Number(a.op === 'AddTable'));

type Place = { readonly table: string; readonly key: PrimaryKey };

const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({
    table: fc.constant('Number'),
    key: fc.oneof(
      { weight: 20, arbitrary: fc.bigInt(-5n, 40n).map((value): PrimaryKey => ({ type: 'int', value })) },
      { weight: 1, arbitrary: fc.constant<PrimaryKey>(NULL) },
    ),
  }),
  fc.record({
    table: fc.constant('Text'),
    key: fc.integer({ min: 0, max: 30 }).map((value): PrimaryKey => ({ type: 'string', value: `t${value}` })),
  }),
);

const value: fc.Arbitrary<{ field: string; value: ScalarValue }> = fc.oneof(
  fc.string().map((text) => ({ field: 'name', value: { type: 'string', value: text } as const })),
  fc.constant({ field: 'name', value: NULL }),
  fc.bigInt(-(1n << 63n), (1n << 63n) - 1n).map((number) => ({
    field: 'count',
    value: { type: 'int', value: number } as const,
  })),
  fc.oneof(fc.bigInt(0n, 1000n), fc.bigInt(0n, (1n << 113n) - 1n)).map((coefficient) => ({
    field: 'price',
    value: { type: 'decimal128', coefficient, exponent: -2, negative: false } as const,
  })),
  fc.bigInt(0n, 40n).map((number) => ({
    field: 'next',
    value: { type: 'link', table: 'Number', key: { type: 'int', value: number } } as const,
  })),
);

/** What is done to one object in a row: creation mostly, values, now and then something of another kind. */
const visit = fc.record({
  place,
  starts: fc.constantFrom('create', 'create', 'create', 'erase', 'go on' as const),
  values: fc.array(value, { maxLength: 5 }),
  tag: fc.option(fc.string({ maxLength: 5 }), { freq: 6 }),
});

/** The instructions of the visits that `exists` admits: nothing is set on an object that is not there. */
function instructionsOf(visits: readonly (typeof visit extends fc.Arbitrary<infer T> ? T : never)[]) {
  const alive = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const { place: at, starts, values, tag } of visits) {
    const token = `${at.table} ${keyToken(at.key)}`;
    if (starts === 'erase') {
      instructions.push({ op: 'EraseObject', ...at });
      alive.delete(token);
      continue;
    }
    if (starts === 'create') {
      instructions.push({ op: 'CreateObject', ...at });
      if (!alive.has(token)) alive.set(token, 0);
    }
    const tags = alive.get(token);
    if (tags === undefined) continue;
    for (const one of values) instructions.push({ op: 'Update', ...at, ...one, path: [], isDefault: false });
    if (tag === null) continue;
    const text = { type: 'string', value: tag } as const;
    instructions.push({
      op: 'ArrayInsert',
      ...at,
      field: 'tags',
      path: [tags],
      value: text,
      priorSize: tags,
    });
    alive.set(token, tags + 1);
  }
  return instructions;
}

function contents(
  view: StateView & { objects(table: string): Iterable<{ key: PrimaryKey; state: ObjectState }> },
) {
  const found = new Map<string, ReadonlyMap<string, unknown>>();
  for (const table of ['Number', 'Text']) {
    for (const { key, state } of view.objects(table)) found.set(`${table} ${keyToken(key)}`, state.fields);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

test('objects made in one go equal those built step by step, whatever comes before, between and after', () => {
  const database = openDatabase(join(temporaryDirectory(), 'state.db'), [STATE_TABLES]);
  const schemas = new SchemaTable(database);
  const objects = new ObjectTable(database);
  let realm = 0;
  const transactions = fc.array(
    fc.record({ visits: fc.array(visit, { maxLength: 60 }), fails: fc.constantFrom(false, false, true) }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(transactions, (steps) => {
      realm += 1;
      const memory = new MemoryView();
      const view = new WorkingView(realm, schemas, objects);
      const all: (typeof visit extends fc.Arbitrary<infer T> ? T : never)[] = [];
      for (const instruction of SCHEMA) applyInstruction(memory, instruction);
      inTransaction(database, () => {
        applyInstructions(view, SCHEMA);
        view.keep();
      });
      for (const { visits, fails } of steps) {
        // Lists make the visits depend on all before them, so each run's instructions are those added last.
        const before = instructionsOf(all).length;
        const added = instructionsOf([...all, ...visits]).slice(before);
        const transaction = () =>
          inTransaction(database, () => {
            applyInstructions(view, added);
            if (fails) throw new RangeError('rolled back');
            view.keep();
          });
        if (fails) {
          expect(transaction).toThrow('rolled back');
          view.discard();
          continue;
        }
        transaction();
        all.push(...visits);
        for (const instruction of added) applyInstruction(memory, instruction);
      }
      expect(contents(view)).toEqual(contents(memory));
    }),
    { numRuns: 150 },
  );
  database.close();
});
