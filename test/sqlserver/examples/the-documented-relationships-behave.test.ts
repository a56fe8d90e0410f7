/** The four examples of the reference, with its tables and data: after loading, and after each change of either side. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { authorBook } from '../../../examples/sqlserver/author-book.ts';
import { buslineStop } from '../../../examples/sqlserver/busline-stop.ts';
import { type Example, one } from '../../../examples/sqlserver/example.ts';
import { passportPerson } from '../../../examples/sqlserver/passport-person.ts';
import { routeEmployee } from '../../../examples/sqlserver/route-employee.ts';
import { type RunningExample, startExample } from '../../../examples/sqlserver/running-example.ts';
import { startTestSqlServer, type TestSqlServer } from '../../support/sqlserver.ts';

let server: TestSqlServer;
const directory = mkdtempSync(join(tmpdir(), 'isthmus-examples-'));
let running: RunningExample | undefined;

beforeAll(async () => {
  server = await startTestSqlServer();
});

afterEach(async () => {
  await running?.close();
  running = undefined;
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(example: Example): Promise<RunningExample> {
  const { host, port, user, password } = server;
  const encrypt = server.driverConfig().options?.encrypt !== false;
  const place = { server: host, port, user, password, encrypt };
  running = await startExample(example, place, join(directory, example.name));
  return running;
}

/** Takes each step, and waits until devices and database show what is expected then. */
async function follow(
  example: Example,
  loaded: readonly string[],
  afterSteps: readonly { readonly device: readonly string[]; readonly sql: readonly string[] }[],
): Promise<RunningExample> {
  const started = await start(example);
  expect(example.shown(started.realm)).toEqual(loaded);
  for (const [index, step] of example.steps.entries()) {
    await started.take(step);
    await expect
      .poll(
        async () => ({
          device: example.shown(started.realm),
          sql: (await started.sql(example.query)).map((row) => Object.values(row).map(String).join(' ')),
        }),
        { timeout: 20_000, message: step.title },
      )
      .toMatchObject(afterSteps[index] ?? {});
  }
  return started;
}

test('one to one: a person and a passport', async () => {
  const people = ['1 Curly: USA', '2 Larry: USA', '3 Moe: Canada'];
  const rows = ['1 Curly 1 USA yes', '2 Larry 1 USA yes', '3 Moe 2 Canada yes'];
  const shemp = { device: '4 Shemp: France', sql: '4 Shemp 3 France yes' };
  const joe = { device: '5 Joe: Canada', sql: '5 Joe 2 Canada yes' };
  const { realm } = await follow(passportPerson, people, [
    { device: [...people, shemp.device], sql: [...rows, shemp.sql] },
    { device: [...people, shemp.device, joe.device], sql: [...rows, shemp.sql, joe.sql] },
    {
      device: ['1 Curly: Canada', ...people.slice(1), shemp.device, joe.device],
      sql: ['1 Curly 2 Canada yes', ...rows.slice(1), shemp.sql, joe.sql],
    },
    {
      device: ['1 Curly: Canada', '2 Larry: USA', '3 Moe: ', shemp.device, joe.device],
      sql: ['1 Curly 2 Canada yes', '2 Larry 1 USA yes', '3 Moe null null yes', shemp.sql, joe.sql],
    },
  ]);
  // The number that the database made has come back to the object.
  expect(one(realm, 'Passport', 'Country', 'France').PassportId).toBe(3);
});

test('one to many: an author and the books that refer to him', async () => {
  const books = [
    '1 For Whom the Bell Tolls Ernest Hemingway yes',
    '2 The Sun Also Rises Ernest Hemingway yes',
    '3 A Farewell to Arms Ernest Hemingway yes',
    '4 Slaughterhouse-Five Kurt Vonnegut yes',
    '5 Cats Cradle Kurt Vonnegut yes',
  ];
  const hemingway = 'Ernest Hemingway: For Whom the Bell Tolls, The Sun Also Rises, A Farewell to Arms';
  const vonnegut = 'Kurt Vonnegut: Slaughterhouse-Five, Cats Cradle';
  const bulgakov = 'Mikhail Bulgakov: The Master and Margarita';
  const more = ['6 The Master and Margarita Mikhail Bulgakov yes', '7 Galápagos Kurt Vonnegut yes'];
  const last = ['8 Requiem Anna Achmatowa yes'];
  await follow(
    authorBook,
    [hemingway, vonnegut, bulgakov],
    [
      { device: [hemingway, `${vonnegut}, Galápagos`, bulgakov], sql: [...books, ...more] },
      {
        device: [hemingway, `${vonnegut}, Galápagos`, bulgakov, 'Anna Achmatowa: Requiem'],
        sql: [...books, ...more, ...last],
      },
      {
        device: [hemingway, `${vonnegut}, Galápagos`, 'Anna Achmatowa: Requiem'],
        sql: [...books, '6 The Master and Margarita null yes', '7 Galápagos Kurt Vonnegut yes', ...last],
      },
    ],
  );
});

test('one to many in order: a line and the list of its stops', async () => {
  const device = (marina: string, soma: string, mission: string) => [
    `Marina: ${marina}`,
    `SOMA: ${soma}`,
    `Mission: ${mission}`,
  ];
  const rows = (...lines: readonly (readonly [string, number, string])[]) =>
    lines.flatMap(([line, number, stops]) =>
      stops.split(', ').map((stop, index) => `${line} ${index} ${stop} ${number}`),
    );
  const both = (marina: string, soma: string, mission: string) => ({
    device: device(marina, soma, mission),
    sql: rows(['Marina', 1, marina], ['SOMA', 2, soma], ['Mission', 3, mission]),
  });
  await follow(buslineStop, device('Market, Gough, Union', 'Townsend', 'Mission, Van Ness'), [
    both('Market, Chestnut, Gough, Union', 'Townsend', 'Mission, Van Ness'),
    both('Market, Chestnut, Gough, Union', 'Townsend, Caltrain', 'Mission, Van Ness'),
    both('Market, Chestnut, Gough, Union', 'Townsend, Caltrain', 'Van Ness, Mission'),
    both('Chestnut, Gough, Union', 'Market, Townsend, Caltrain', 'Van Ness, Mission'),
  ]);
});

test('many to many: routes, employees and the table that joins them', async () => {
  const device = (...pairs: readonly string[]) => [...pairs];
  const rowOf = (text: string) => text.replace(/^(\d)-(\d): (\w+) on (\w+)$/, '$1 $2 $3 $4');
  const both = (...pairs: readonly string[]) => ({ device: pairs, sql: pairs.map(rowOf) });
  const loaded = ['1-1: Tom on East', '2-1: David on East', '2-3: David on North', '3-1: Nathan on East'];
  const nathan = '3-3: Nathan on North';
  const ada = '4-2: Ada on West';
  const { realm, sql } = await follow(routeEmployee, device(...loaded), [
    both(...loaded, nathan),
    both(...loaded, nathan, ada),
    both('1-1: Tom on East', '1-2: Tom on West', ...loaded.slice(1), nathan, ada),
    both('1-2: Tom on West', '1-3: Tom on North', ...loaded.slice(1), nathan, ada),
  ]);
  // A join object is not turned to another pair; the row stays, and the connector says why.
  realm.write(() => {
    one(realm, 'EmployeeRoute', 'PK', '2-1').RouteKey = one(realm, 'Route', 'RouteName', 'West');
  });
  await expect
    .poll(
      async () => (await sql('SELECT reason FROM isthmus.dead_letter')).map(({ reason }) => String(reason)),
      {
        timeout: 20_000,
      },
    )
    .toEqual([expect.stringContaining('RouteKey is a part of the key and cannot be changed')]);
  expect((await sql('SELECT RouteKey FROM dbo.EmployeeRoute WHERE EmployeeKey = 2')).length).toBe(2);
});
