/** From commit to visible, in both directions, over real processes. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Deployment, Device } from '../test/support/isthmus-processes.ts';
import { percentile, type Row } from './measure.ts';

const SAMPLES = 300;
const PAUSE_MILLISECONDS = 15;

export async function benchLatency(deployment: Deployment, connectionString: string): Promise<Row[]> {
  const device = await Device.open(
    deployment.url,
    mkdtempSync(join(deployment.directory, 'device-')),
    '/ticks',
  );
  await device.session.downloadCompletion();
  const client = new pg.Client({ connectionString });
  await client.connect();
  const toRealm = await samples((index) => fromSql(device, client, index));
  const toSql = await samples((index) => fromRealm(device, client, index));
  await client.end();
  await device.close();
  return [
    row('database COMMIT to visible on another client', toRealm),
    row('client write to row visible in the database', toSql),
  ];
}

async function samples(one: (index: number) => Promise<number>): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < SAMPLES + 20; index += 1) {
    const elapsed = await one(index);
    if (index >= 20) found.push(elapsed); // the first ones warm both processes up
    await sleep(PAUSE_MILLISECONDS);
  }
  return found;
}

async function fromSql(device: Device, client: pg.Client, index: number): Promise<number> {
  const key = { type: 'int', value: BigInt(index) } as const;
  await client.query('INSERT INTO tick (id, label) VALUES ($1, $2)', [index, 'sql']);
  const start = performance.now();
  while (device.replica.object('tick', key) === undefined) await new Promise(setImmediate);
  return performance.now() - start;
}

async function fromRealm(device: Device, client: pg.Client, index: number): Promise<number> {
  const id = 1_000_000 + index;
  const key = { type: 'int', value: BigInt(id) } as const;
  const start = performance.now();
  device.replica.write([
    { op: 'CreateObject', table: 'tick', key },
    {
      op: 'Update',
      table: 'tick',
      key,
      field: 'label',
      path: [],
      value: { type: 'string', value: 'realm' },
      isDefault: false,
    },
  ]);
  for (;;) {
    const { rowCount } = await client.query('SELECT 1 FROM tick WHERE id = $1', [id]);
    if (rowCount === 1) return performance.now() - start;
    await sleep(1);
  }
}

function row(what: string, values: readonly number[]): Row {
  const text = (part: number): string => `${percentile(values, part).toFixed(1)} ms`;
  return [what, `p50 ${text(0.5)}`, `p95 ${text(0.95)}, p99 ${text(0.99)}, ${values.length} samples`];
}
