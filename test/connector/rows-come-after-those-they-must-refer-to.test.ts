/** Databases that check foreign keys after each statement take rows only in an order in which no reference hangs. */
import { expect, test } from 'vitest';
import type { MergedInstruction } from '../../src/adapter/merged-instruction.ts';
import { planStatements } from '../../src/connector/apply/plan.ts';
import { Mapping } from '../../src/connector/mapping/class-mapping.ts';
import {
  column,
  create,
  insert,
  link,
  link0,
  linkTo,
  MemoryReplica,
  mapClass,
  remove,
  table,
  text,
  textCodec,
} from './harness.ts';

/** A country must have a capital; a city may have a country. */
const country = mapClass('Country', table('country', [column('capital', false)], [['capital', 'city']]), [
  ['capital', link0('City'), linkTo('City')],
]);
const city = mapClass('City', table('city', [column('country', true)], [['country', 'country']]), [
  ['country', link0('Country'), linkTo('Country')],
]);
/** Every node must have a parent; the root is its own. */
const node = mapClass(
  'Node',
  table('node', [column('name', true), column('parent', false)], [['parent', 'node']]),
  [
    ['name', text, textCodec],
    ['parent', link0('Node'), linkTo('Node')],
  ],
);

function plan(
  mapping: Mapping,
  replica: MemoryReplica,
  instructions: readonly MergedInstruction[],
): string[] {
  return planStatements(instructions, mapping, replica).map((statement) => {
    const rows = 'rows' in statement ? statement.rows.map((row) => row.join()) : [];
    return `${statement.kind} ${statement.table.table.name} ${rows.join(' ')}`;
  });
}

test.each([
  ['the tables come in one order', [country, city]],
  ['or in the other', [city, country]],
])('a reference that may be empty first gives way to one that may not, whether %s', (_, classes) => {
  const mapping = new Mapping(classes);
  const replica = new MemoryReplica(mapping).apply(create('Country', 1)).apply(create('City', 2));
  const made = [
    insert('Country', 1, { capital: link('City', 2) }),
    insert('City', 2, { country: link('Country', 1) }),
  ];
  expect(plan(mapping, replica, made)).toEqual(['upsert city 2,', 'upsert country 1,2', 'update city 2,1']);
  expect(plan(mapping, new MemoryReplica(mapping), [remove('City', 2), remove('Country', 1)])).toEqual([
    'delete country 1',
    'delete city 2',
  ]);
});

test('rows of one table come after those that they must refer to, in as few statements as their columns allow', () => {
  const mapping = new Mapping([node]);
  const replica = new MemoryReplica(mapping);
  for (const id of [1, 2, 3, 4]) replica.apply(create('Node', id));
  expect(
    plan(mapping, replica, [
      insert('Node', 3, { parent: link('Node', 2) }),
      insert('Node', 4, { parent: link('Node', 1) }),
      insert('Node', 2, { parent: link('Node', 1) }),
      insert('Node', 1, { parent: link('Node', 1) }),
    ]),
  ).toEqual(['upsert node 1,1 2,1 3,2 4,1']);
  expect(
    plan(mapping, replica, [
      insert('Node', 2, { parent: link('Node', 1) }),
      insert('Node', 1, { name: 'root', parent: link('Node', 1) }),
    ]),
  ).toEqual(['upsert node 1,root,1', 'upsert node 2,1']);
});
