/** The realm of the benchmarks of flexible sync: one class of 7 properties, filled before the server starts. */
import { join } from 'node:path';
import type { Instruction } from '../../src/changeset/instruction.ts';
import type { ValueType } from '../../src/schema/value.ts';
import type { ServerRealm } from '../../src/store/server/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';

export const TABLE = 'Measurement';
export const REALM = '/';
/** Objects are spread over as many groups, in turn, so that the objects of one lie all over the realm. */
export const GROUPS = 10;
const PER_WRITE = 5_000;

const COLUMNS: readonly (readonly [field: string, type: ValueType])[] = [
  ['group', 'int'],
  ['device', 'string'],
  ['taken', 'date'],
  ['value', 'double'],
  ['active', 'bool'],
  ['note', 'string'],
];

const SCHEMA: readonly Instruction[] = [
  {
    op: 'AddTable',
    table: TABLE,
    kind: 'topLevel',
    primaryKey: { field: '_id', type: 'int', nullable: false },
  },
  ...COLUMNS.map(([field, type]): Instruction => {
    const column = { type, nullable: field === 'note', collection: 'single' } as const;
    return { op: 'AddColumn', table: TABLE, field, column };
  }),
];

/** Runs `work` on the realm as a server with this data directory will find it. */
export async function withRealm<T>(
  dataDirectory: string,
  work: (realm: ServerRealm) => Promise<T>,
): Promise<T> {
  const store = await openServerStore(join(dataDirectory, 'realms'));
  try {
    return await work(await store.realm(REALM));
  } finally {
    await store.close();
  }
}

/** Fills the realm with objects 0…count − 1, keeping earlier states as a serving realm does. */
export async function fill(realm: ServerRealm, count: number, more: readonly string[] = []): Promise<void> {
  await realm.enableFlexibleSync();
  await realm.write([...SCHEMA, ...more.map(intColumn)]);
  for (let first = 0; first < count; first += PER_WRITE) {
    await realm.write(objects(first, Math.min(count, first + PER_WRITE)));
  }
}

function intColumn(field: string): Instruction {
  return {
    op: 'AddColumn',
    table: TABLE,
    field,
    column: { type: 'int', nullable: true, collection: 'single' },
  };
}

function objects(first: number, end: number): Instruction[] {
  const instructions: Instruction[] = [];
  for (let i = first; i < end; i += 1) {
    const at = { table: TABLE, key: { type: 'int', value: BigInt(i) } } as const;
    const on = { op: 'Update', ...at, path: [], isDefault: false } as const;
    instructions.push(
      { op: 'CreateObject', ...at },
      { ...on, field: 'group', value: { type: 'int', value: BigInt(i % GROUPS) } },
      { ...on, field: 'device', value: { type: 'string', value: `device-${i % 1000}` } },
      { ...on, field: 'taken', value: { type: 'date', seconds: BigInt(1_577_836_800 + i), nanoseconds: 0 } },
      { ...on, field: 'value', value: { type: 'double', value: i * 0.37 } },
      { ...on, field: 'active', value: { type: 'bool', value: i % 3 === 0 } },
    );
    if (i % 4 !== 0) {
      const note = `note ${((i * 2_654_435_761) >>> 0).toString(16).padStart(32, '0')}`;
      instructions.push({ ...on, field: 'note', value: { type: 'string', value: note } });
    }
  }
  return instructions;
}
