/**
 * The four relationships of docs/relationships.md, each with its tables, its models, and changes on both sides:
 *
 *     node examples/sqlserver/run.ts passport-person
 *     node examples/sqlserver/run.ts author-book
 *     node examples/sqlserver/run.ts busline-stop
 *     node examples/sqlserver/run.ts route-employee
 *
 * ISTHMUS_SQLSERVER_URL=sqlserver://sa:password@host:1433 names a SQL Server, on which a database `isthmus_example_…` is
 * made anew. Without it the simulator of the tests runs, which knows what Isthmus needs of SQL Server and is none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../src/cli/demo/sqlserver-simulator.ts';
import { authorBook } from './author-book.ts';
import { buslineStop } from './busline-stop.ts';
import type { Example } from './example.ts';
import { passportPerson } from './passport-person.ts';
import { routeEmployee } from './route-employee.ts';
import { type RunningExample, type ServerPlace, startExample } from './running-example.ts';

const EXAMPLES: readonly Example[] = [passportPerson, authorBook, buslineStop, routeEmployee];
/** A change that one side shows has come to the other when both have been the same for so long. */
const QUIET_MILLISECONDS = 1_500;

const example = EXAMPLES.find(({ name }) => name === process.argv[2]);
if (example === undefined) {
  console.error(`say which one: ${EXAMPLES.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  const directory = await mkdtemp(join(tmpdir(), 'isthmus-example-'));
  const { place, stop } = await serverPlace(directory);
  try {
    await run(example, place, directory);
  } finally {
    await stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(chosen: Example, place: ServerPlace, directory: string): Promise<void> {
  const running = await startExample(chosen, place, directory);
  try {
    await show('Loaded', chosen, running);
    for (const step of chosen.steps) {
      await running.take(step);
      await show(step.title, chosen, running);
    }
  } finally {
    await running.close();
  }
}

async function show(
  title: string,
  { query, shown }: Example,
  { sql, realm, arrived }: RunningExample,
): Promise<void> {
  let last = '';
  let since = Date.now();
  await arrived(async () => {
    const now = JSON.stringify([await sql(query), shown(realm)]);
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since >= QUIET_MILLISECONDS;
  });
  console.log(`\n${title}\n\nSQL Server:`);
  console.table(await sql(query));
  console.log('Devices:');
  for (const line of shown(realm)) console.log(`  ${line}`);
}

async function serverPlace(
  directory: string,
): Promise<{ readonly place: ServerPlace; readonly stop: () => Promise<void> }> {
  const given = process.env.ISTHMUS_SQLSERVER_URL;
  if (given !== undefined && given !== '') {
    const url = new URL(given);
    const place = {
      server: url.hostname,
      port: Number(url.port || 1433),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      encrypt: url.searchParams.get('encrypt') !== 'false',
    };
    return { place, stop: async () => {} };
  }
  console.log('No SQL Server is named (ISTHMUS_SQLSERVER_URL): this runs on a simulator of one.');
  const { host, port, user, password, stop } = await startSimulator(join(directory, 'sqlserver'), 0);
  return { place: { server: host, port, user, password, encrypt: false }, stop };
}
