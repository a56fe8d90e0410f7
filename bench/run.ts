/**
 * `npm run bench`: what a row costs on its way, as ratios measured in one run on one machine. Prints a table and
 * writes docs/benchmarks.md, followed by docs/benchmarks-notes.md. `--rows N` changes the size of the loaded table and of
 * the flexible realm (default 1,000,000). `--only queries,bootstrap` measures these parts and writes nothing; the parts are
 * load, sync, queries, bootstrap and fan-out. `--profile DIRECTORY` keeps profiles of the servers of flexible sync.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts';
import { deploy, untilServing } from '../test/support/isthmus-processes.ts';
import { measureFlexible } from './flexible/run-flexible.ts';
import { benchLatency } from './latency.ts';
import { benchLoad, fillTable } from './load.ts';
import { markdownTable, megabytes, type Row } from './measure.ts';
import { benchObjects } from './objects.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rows = Number(values.rows);
const parts = new Set(values.only?.split(',') ?? ['load', 'sync', 'queries', 'bootstrap', 'fan-out']);
const directory = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));

type Postgres = Awaited<ReturnType<typeof startEmbeddedPostgres>>;

function connector(postgres: Postgres, path: string, models: string): string {
  const { host, port, user, password } = postgres;
  return `dbName: 'postgres', postgresConfig: ${JSON.stringify({ host, port, user, password })},
    realmRegex: ${JSON.stringify(path)}, mapPostgresChangeToRealmPath: ${JSON.stringify(path)},
    loaderUploadMaxWaitTime: 600, logLevel: 'warn', schema: ${models}`;
}

async function measureLoad(postgres: Postgres): Promise<Row[]> {
  await fillTable(postgres.connectionString, rows);
  const models = `[{ name: 'measurement', primaryKey: 'id', properties: { id: 'int', device: 'string', taken: 'date',
    value: 'double', price: 'decimal128', active: 'bool', note: 'string?' } }]`;
  const deployment = await deploy(join(directory, 'load'), '', connector(postgres, '/measurements', models));
  const server = deployment.start('server');
  try {
    return await benchLoad(deployment, server, postgres.connectionString, rows);
  } finally {
    await server.stop();
  }
}

async function measureSync(postgres: Postgres): Promise<Row[]> {
  const client = new pg.Client(postgres.connectionString);
  await client.connect();
  await client.query('CREATE TABLE tick (id bigint PRIMARY KEY, label text)');
  await client.end();
  const models = `[{ name: 'tick', primaryKey: 'id', properties: { id: 'int', label: 'string?' } }]`;
  const deployment = await deploy(join(directory, 'sync'), '', connector(postgres, '/ticks', models));
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

async function measureConnector(): Promise<Row[]> {
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  for (const name of ['load', 'sync']) mkdirSync(join(directory, name));
  try {
    const load = parts.has('load') ? await measureLoad(postgres) : [];
    const sync = parts.has('sync') ? await measureSync(postgres) : [];
    return [...load, ...sync];
  } finally {
    await postgres.stop();
  }
}

function section(title: string, measured: readonly Row[]): string {
  return measured.length === 0 ? '' : `## ${title}\n\n${markdownTable(measured)}\n`;
}

function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(', ');
}

try {
  const before = load();
  const connectorRows = parts.has('load') || parts.has('sync') ? await measureConnector() : [];
  const flexible = join(directory, 'flexible');
  const flexibleRows = await measureFlexible({
    directory: flexible,
    objects: rows,
    parts,
    profile: values.profile,
  });
  const tables = [
    section('Connector and partition-based sync', connectorRows),
    section('Flexible sync', flexibleRows),
  ].join('\n');
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${megabytes(totalmem())}, Node ${process.version}`;
  const loads = `Load of the machine (1, 5 and 15 minutes) before: ${before}; after: ${load()}.`;
  console.log(`${tables}\n${loads}`);
  if (values.only === undefined) {
    const notes = readFileSync(new URL('../docs/benchmarks-notes.md', import.meta.url), 'utf8');
    writeFileSync(
      new URL('../docs/benchmarks.md', import.meta.url),
      `# Benchmarks\n\nMade by \`npm run bench\` on ${machine}; all processes of a measurement share the machine. ${loads}\n\n${tables}\n${notes}`,
    );
  }
} finally {
  rmSync(directory, { recursive: true });
}
