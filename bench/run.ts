/**
 * `npm run bench`: what a row costs on its way, as ratios measured in one run on one machine. Prints a table and
 * writes docs/benchmarks.md, followed by docs/benchmarks-notes.md. `--rows N` changes the size of the loaded table (default 1,000,000).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';
import { deploy, untilServing } from '../test/support/isthmus-processes.ts';
import { benchLatency } from './latency.ts';
import { benchLoad, fillTable } from './load.ts';
import { markdownTable, megabytes, type Row } from './measure.ts';
import { benchObjects } from './objects.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const rows = Number(values.rows);
const directory = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });

function connector(path: string, models: string): string {
  const { host, port, user, password } = postgres;
  return `dbName: 'postgres', postgresConfig: ${JSON.stringify({ host, port, user, password })},
    realmRegex: ${JSON.stringify(path)}, mapPostgresChangeToRealmPath: ${JSON.stringify(path)},
    loaderUploadMaxWaitTime: 600, logLevel: 'warn', schema: ${models}`;
}

async function measureLoad(): Promise<Row[]> {
  await fillTable(postgres.connectionString, rows);
  const models = `[{ name: 'measurement', primaryKey: 'id', properties: { id: 'int', device: 'string', taken: 'date',
    value: 'double', price: 'decimal128', active: 'bool', note: 'string?' } }]`;
  const deployment = await deploy(join(directory, 'load'), '', connector('/measurements', models));
  const server = deployment.start('server');
  try {
    return await benchLoad(deployment, server, postgres.connectionString, rows);
  } finally {
    await server.stop();
  }
}

async function measureSync(): Promise<Row[]> {
  const client = new pg.Client(postgres.connectionString);
  await client.connect();
  await client.query('CREATE TABLE tick (id bigint PRIMARY KEY, label text)');
  await client.end();
  const models = `[{ name: 'tick', primaryKey: 'id', properties: { id: 'int', label: 'string?' } }]`;
  const deployment = await deploy(join(directory, 'sync'), '', connector('/ticks', models));
  const server = deployment.start('server');
  await untilServing(deployment, server);
  const loader = deployment.start('load');
  if ((await loader.exited) !== 0) throw new Error(loader.log);
  const adapter = deployment.start('adapter');
  try {
    const latency = await benchLatency(deployment, postgres.connectionString);
    const objects = await benchObjects(deployment);
    return [
      ...latency,
      ...objects,
      ['peak memory of the adapter', megabytes(adapter.peakMemory()), 'latency run'],
    ];
  } finally {
    await adapter.stop();
    await server.stop();
  }
}

for (const name of ['load', 'sync']) mkdirSync(join(directory, name));
try {
  const table = markdownTable([...(await measureLoad()), ...(await measureSync())]);
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${megabytes(totalmem())}, Node ${process.version}`;
  const notes = readFileSync(new URL('../docs/benchmarks-notes.md', import.meta.url), 'utf8');
  console.log(table);
  writeFileSync(
    new URL('../docs/benchmarks.md', import.meta.url),
    `# Benchmarks\n\nMade by \`npm run bench\` on ${machine}; client, server, adapter and PostgreSQL share the machine.\n\n${table}\n\n${notes}`,
  );
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true });
}
