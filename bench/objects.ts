/** Objects from a client to the server and to another client. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Instruction } from '../src/changeset/instruction.ts';
import { type Deployment, Device } from '../test/support/isthmus-processes.ts';
import { type Row, seconds, thousands } from './measure.ts';

const OBJECTS = 100_000;
const PER_TRANSACTION = 1000;
const PATH = '/objects';

export async function benchObjects(deployment: Deployment): Promise<Row[]> {
  const open = (): Promise<Device> =>
    Device.open(deployment.url, mkdtempSync(join(deployment.directory, 'device-')), PATH);
  const writer = await open();
  await writer.session.downloadCompletion();
  const upload = await seconds(async () => {
    writer.replica.write(schema());
    for (let first = 0; first < OBJECTS; first += PER_TRANSACTION) writer.replica.write(objects(first));
    await writer.session.uploadCompletion();
  });
  await writer.close();
  const reader = await open();
  const download = await seconds(() => reader.session.downloadCompletion());
  const got = reader.replica.count('item');
  await reader.close();
  if (got !== OBJECTS) throw new Error(`the reader has ${got} objects`);
  return [
    [
      `upload of ${thousands(OBJECTS)} objects of 3 properties, local writes included`,
      `${upload.toFixed(2)} s`,
      `${thousands(OBJECTS / upload)} objects/s`,
    ],
    [
      `download of ${thousands(OBJECTS)} objects`,
      `${download.toFixed(2)} s`,
      `${thousands(OBJECTS / download)} objects/s`,
    ],
  ];
}

function schema(): Instruction[] {
  const table = 'item';
  return [
    { op: 'AddTable', table, kind: 'topLevel', primaryKey: { field: 'id', type: 'int', nullable: false } },
    {
      op: 'AddColumn',
      table,
      field: 'name',
      column: { type: 'string', nullable: false, collection: 'single' },
    },
    {
      op: 'AddColumn',
      table,
      field: 'count',
      column: { type: 'int', nullable: false, collection: 'single' },
    },
  ];
}

function objects(first: number): Instruction[] {
  const instructions: Instruction[] = [];
  for (let index = first; index < first + PER_TRANSACTION; index += 1) {
    const at = { table: 'item', key: { type: 'int', value: BigInt(index) } } as const;
    const on = { ...at, path: [], isDefault: false };
    instructions.push(
      { op: 'CreateObject', ...at },
      { op: 'Update', ...on, field: 'name', value: { type: 'string', value: `name of ${index}` } },
      { op: 'Update', ...on, field: 'count', value: { type: 'int', value: BigInt(index) } },
    );
  }
  return instructions;
}
