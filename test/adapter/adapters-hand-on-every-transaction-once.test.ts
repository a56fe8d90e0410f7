/** The Adapter API over a real server (spec/server-history.md §10.2). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Adapter, type ChangeListener } from '../../src/adapter/adapter.ts';
import type { InstructionObject } from '../../src/adapter/instruction-objects.ts';
import type { RealmFilter } from '../../src/adapter/realm-filter.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import { logIn, type User } from '../../src/client/user.ts';
import { silentLogger } from '../../src/log.ts';
import { connectClient } from '../client/support/client.ts';
import { ADMIN, startTestServer } from '../server/support/test-server.ts';
import { temporaryDirectory } from '../store/server/temporary-directory.ts';

const SCHEMA = [
  {
    name: 'Person',
    primaryKey: '_id',
    properties: { _id: 'int', name: 'string?', born: 'date?', friends: 'Person[]', tags: 'string[]' },
  },
];
const credentials = { provider: 'local-userpass', username: ADMIN.user, password: ADMIN.password } as const;

/** A device of some user that writes to a realm. */
async function device(url: string, path: string) {
  const { client, store } = await connectClient(url);
  const replica = store.replica(path);
  const session = client.open(replica);
  const write = (instructions: Parameters<typeof replica.write>[0]) => replica.write(instructions);
  return { realm: new ObjectRealm({ reader: replica, write, schema: SCHEMA }), session, replica };
}

function adapterOf(
  url: string,
  admin: User,
  filter: RealmFilter,
  onChange: ChangeListener,
  directory = temporaryDirectory(),
): Adapter {
  const adapter = new Adapter(directory, url.replace('http:', 'realm:'), admin, filter, onChange);
  onTestFinished(() => adapter.close());
  return adapter;
}

/** Takes everything that waits. */
function drain(adapter: Adapter, path: string, into: (readonly InstructionObject[])[]): void {
  for (let current = adapter.current(path); current !== undefined; current = adapter.current(path)) {
    expect(adapter.current(path)).toBe(current);
    into.push(current);
    adapter.advance(path);
  }
}

test('each transaction comes as a list of instructions, merged with what was written here', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const transactions: (readonly InstructionObject[])[] = [];
  const adapter = adapterOf(server.url, admin, '/people', (path) => drain(adapter, path, transactions));
  const { realm, session } = await device(server.url, '/people');
  const born = new Date('1990-01-02T03:04:05Z');
  realm.write(() => {
    const ann = realm.create('Person', { _id: 1, name: 'Ann', born, tags: ['a', 'b'] });
    realm.create('Person', { _id: 2, name: 'Bob', friends: [ann] });
  });
  realm.write(() => Object.assign(realm.objectForPrimaryKey('Person', 1) ?? {}, { name: 'Anna' }));
  realm.write(() => realm.delete(realm.objectForPrimaryKey('Person', 2)));
  await session.uploadCompletion();
  await expect.poll(() => transactions.length).toBe(4);
  expect(transactions).toEqual([
    [
      {
        type: 'ADD_TYPE',
        object_type: 'Person',
        primary_key: '_id',
        properties: {
          _id: { type: 'int', nullable: false },
          name: { type: 'string', nullable: true },
          born: { type: 'date', nullable: true },
          friends: { type: 'list', nullable: false, object_type: 'Person' },
          tags: { type: 'list', nullable: false, object_type: 'string' },
        },
      },
    ],
    [
      {
        type: 'INSERT',
        object_type: 'Person',
        identity: 1,
        values: { _id: 1, name: 'Ann', born, tags: ['a', 'b'] },
      },
      { type: 'INSERT', object_type: 'Person', identity: 2, values: { _id: 2, name: 'Bob' } },
      {
        type: 'LIST_INSERT',
        object_type: 'Person',
        identity: 2,
        property: 'friends',
        list_index: 0,
        object_identity: 1,
      },
    ],
    [{ type: 'SET', object_type: 'Person', identity: 1, values: { name: 'Anna' } }],
    [{ type: 'DELETE', object_type: 'Person', identity: 2 }],
  ]);
});

test('changes of lists and added properties come as such', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const transactions: (readonly InstructionObject[])[] = [];
  const { realm, session, replica } = await device(server.url, '/people');
  realm.write(() => {
    for (const _id of [1, 2, 3]) realm.create('Person', { _id });
  });
  await session.uploadCompletion();
  const adapter = adapterOf(server.url, admin, '/people', (path) => drain(adapter, path, transactions));
  await expect.poll(() => transactions.length).toBe(2);
  transactions.length = 0;
  const person = (id: number) => realm.objectForPrimaryKey<{ friends: unknown[] }>('Person', id)!;
  const { friends } = person(1);
  const inTransactions = [
    () => void friends.push(person(2), person(3)),
    () => {
      friends[0] = person(3);
    },
    () => void friends.splice(0, 1),
    () => {
      person(1).friends = [];
    },
  ];
  for (const change of inTransactions) realm.write(change);
  replica.write([
    {
      op: 'AddColumn',
      table: 'Person',
      field: 'height',
      column: { type: 'double', nullable: true, collection: 'single' },
    },
  ]);
  await session.uploadCompletion();
  await expect.poll(() => transactions.length).toBe(5);
  const onList = { object_type: 'Person', identity: 1, property: 'friends' };
  expect(transactions).toEqual([
    [
      { type: 'LIST_INSERT', ...onList, list_index: 0, object_identity: 2 },
      { type: 'LIST_INSERT', ...onList, list_index: 1, object_identity: 3 },
    ],
    [{ type: 'LIST_SET', ...onList, list_index: 0, object_identity: 3 }],
    [{ type: 'LIST_ERASE', ...onList, list_index: 0 }],
    [{ type: 'LIST_CLEAR', ...onList }],
    [
      {
        type: 'ADD_PROPERTIES',
        object_type: 'Person',
        properties: { height: { type: 'double', nullable: true } },
      },
    ],
  ]);
});

test('what a server has lost is not handed on as deleted, and what it has now is', async () => {
  const dataDirectory = temporaryDirectory();
  const first = await startTestServer({ development: true, dataDirectory });
  const { port } = first;
  const admin = await logIn({ baseUrl: first.url, credentials });
  const transactions: (readonly InstructionObject[])[] = [];
  const before = await device(first.url, '/people');
  before.realm.write(() => before.realm.create('Person', { _id: 1, name: 'Ann' }));
  await before.session.uploadCompletion();
  const adapter = adapterOf(first.url, admin, '/people', (path) => drain(adapter, path, transactions));
  await expect.poll(() => transactions.length).toBe(2);
  await before.session.close();
  await first.close();
  rmSync(join(dataDirectory, 'realms'), { recursive: true });

  const second = await startTestServer({ development: true, dataDirectory, port });
  const after = await device(second.url, '/people');
  after.realm.write(() => after.realm.create('Person', { _id: 2, name: 'Bob' }));
  await after.session.uploadCompletion();
  await expect.poll(() => JSON.stringify(transactions)).toContain('Bob');
  await adapter.caughtUp();
  expect(transactions.flat().filter(({ type }) => type === 'DELETE')).toEqual([]);
  expect(adapter.realmAtPath('/people').objects('Person').length).toBe(1);
});

test('writes through the adapter reach the devices and do not come back', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const transactions: (readonly InstructionObject[])[] = [];
  const { realm, session, replica } = await device(server.url, '/people');
  realm.write(() => realm.create('Person', { _id: 1, name: 'Ann' }));
  await session.uploadCompletion();
  const adapter = adapterOf(server.url, admin, /^\/people$/, (path) => drain(adapter, path, transactions));
  await adapter.caughtUp();
  const mine = adapter.realmAtPath('/people');
  expect(mine.objects('Person').length).toBe(1);
  mine.write(() => mine.create('Person', { _id: 5, name: 'Eve' }));
  await adapter.uploaded();
  await session.downloadCompletion();
  expect(replica.count('Person')).toBe(2);
  realm.write(() => realm.create('Person', { _id: 6, name: 'Fay' }));
  await expect.poll(() => JSON.stringify(transactions)).toContain('Fay');
  expect(JSON.stringify(transactions)).not.toContain('Eve');
  await adapter.close();
  expect(() => mine.objects('Person').length).toThrow(/closed/);
  expect(() => adapter.current('/people')).toThrow(/closed/);
});

test('realms are found whenever they appear, and only those that the filter names', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const early = await device(server.url, '/shop/1');
  early.realm.write(() => early.realm.create('Person', { _id: 1 }));
  await early.session.uploadCompletion();
  for (const filter of [
    '/shop/\\d+',
    '/^\\/shop\\/\\d+$/',
    /\/shop\/\d+/g,
    (path: string) => /^\/shop\/\d+$/.test(path),
  ]) {
    const seen = new Set<string>();
    const adapter = adapterOf(server.url, admin, filter, (path) => void seen.add(path));
    await expect.poll(() => seen.has('/shop/1')).toBe(true);
    const late = `/shop/${Math.floor(Math.random() * 1e9)}`;
    for (const path of [`${late}x`, late]) {
      const writer = await device(server.url, path);
      writer.realm.write(() => writer.realm.create('Person', { _id: 2 }));
      await writer.session.uploadCompletion();
    }
    await expect.poll(() => seen.has(late)).toBe(true);
    await adapter.caughtUp();
    expect([...seen].some((path) => path.endsWith('x') || path === '/__admin')).toBe(false);
    await adapter.close();
  }
});

test('after a restart the first transaction that was not advanced past comes again, then the rest', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const directory = temporaryDirectory();
  const { realm, session } = await device(server.url, '/people');
  for (let id = 1; id <= 5; id++) realm.write(() => realm.create('Person', { _id: id }));
  await session.uploadCompletion();
  const first = adapterOf(server.url, admin, '/people', () => {}, directory);
  await first.caughtUp();
  for (let count = 0; count < 3; count++) first.advance('/people'); // schema, 1 and 2
  const seen = first.current('/people');
  expect(seen).toMatchObject([{ type: 'INSERT', identity: 3 }]);
  const position = first.position('/people');
  await first.close();

  realm.write(() => realm.create('Person', { _id: 6 }));
  await session.uploadCompletion();
  const transactions: (readonly InstructionObject[])[] = [];
  const positions: number[] = [];
  const second: Adapter = adapterOf(
    server.url,
    admin,
    '/people',
    (path) => {
      positions.push(second.position(path) ?? 0);
      drain(second, path, transactions);
    },
    directory,
  );
  await expect.poll(() => transactions.length).toBe(4);
  expect(transactions.map(([instruction]) => instruction)).toMatchObject(
    [3, 4, 5, 6].map((identity) => ({ identity })),
  );
  expect(positions[0]).toBe(position);
  expect(second.position('/people')).toBeUndefined();
  await expect(async () => new Adapter(directory, server.url, admin, '/x', () => {})).rejects.toThrow(
    /in use/,
  );
});

test('a listener that returns a promise is not called again for the realm until it resolves', async () => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  let running = 0;
  let most = 0;
  const transactions: (readonly InstructionObject[])[] = [];
  const adapter = adapterOf(server.url, admin, '/people', async (path) => {
    running += 1;
    most = Math.max(most, running);
    for (let current = adapter.current(path); current !== undefined; current = adapter.current(path)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      transactions.push(current);
      adapter.advance(path);
    }
    running -= 1;
  });
  const { realm } = await device(server.url, '/people');
  for (let id = 1; id <= 20; id++) {
    realm.write(() => realm.create('Person', { _id: id }));
    if (id % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await expect.poll(() => transactions.length).toBe(21);
  expect(most).toBe(1);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('the other side is away');
    },
  ],
  ['rejects', () => Promise.reject(new Error('the other side is away'))],
])('a listener that %s is reported and called again; everything goes on meanwhile', async (_, fault) => {
  const server = await startTestServer({ development: true });
  const admin = await logIn({ baseUrl: server.url, credentials });
  const errors: unknown[] = [];
  const logger = {
    ...silentLogger,
    error: (message: string, fields?: unknown) => void errors.push({ message, fields }),
  };
  const transactions: (readonly InstructionObject[])[] = [];
  let faults = 3;
  const listener: ChangeListener = (path) => {
    faults -= 1;
    return faults >= 0 ? fault() : drain(adapter, path, transactions);
  };
  const directory = temporaryDirectory();
  const adapter: Adapter = new Adapter(directory, server.url, admin, '/people', listener, {
    logger,
    listenerBackOff: { firstMilliseconds: 5, maxMilliseconds: 20 },
  });
  onTestFinished(() => adapter.close());
  const { realm, session } = await device(server.url, '/people');
  realm.write(() => realm.create('Person', { _id: 1 }));
  await session.uploadCompletion();
  await expect.poll(() => transactions.length).toBe(2);
  expect(transactions[1]).toMatchObject([{ type: 'INSERT', identity: 1 }]);
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatchObject({
    fields: { path: '/people', error: expect.stringContaining('the other side is away') },
  });
});

test('who may not read the list of realms is told', async () => {
  const server = await startTestServer({ development: true });
  const stranger = await logIn({ baseUrl: server.url, credentials: { provider: 'anon-user' } });
  const error = new Promise((onError) => {
    const adapter = new Adapter(temporaryDirectory(), server.url, stranger, '.*', () => {}, { onError });
    onTestFinished(() => adapter.close());
  });
  expect(await error).toMatchObject({ code: 'sync-session-failed', protocolCode: 206 });
});

test('the example keeps a JSON file equal to a realm', async () => {
  const server = await startTestServer({ development: true });
  const file = join(temporaryDirectory(), 'people.json');
  const program = fileURLToPath(new URL('../../examples/mirror-to-json.ts', import.meta.url));
  const run = () =>
    spawn(process.execPath, [program, server.url, ADMIN.user, ADMIN.password, '/people', file], {
      stdio: 'inherit',
    });
  const mirrored = (): unknown =>
    existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).objects : undefined;
  const { realm } = await device(server.url, '/people');
  realm.write(() => {
    const ann = realm.create('Person', { _id: 1, name: 'Ann' });
    realm.create('Person', { _id: 2, name: 'Bob', friends: [ann] });
  });
  const first = run();
  onTestFinished(() => void first.kill('SIGKILL'));
  await expect
    .poll(mirrored, { timeout: 20_000 })
    .toMatchObject({ Person: { 1: { name: 'Ann' }, 2: { friends: [1] } } });
  first.kill('SIGKILL');
  await once(first, 'exit');
  realm.write(() => realm.delete(realm.objectForPrimaryKey('Person', 1)));
  const second = run();
  onTestFinished(() => void second.kill('SIGKILL'));
  await expect
    .poll(mirrored, { timeout: 20_000 })
    .toEqual({ Person: { 2: expect.objectContaining({ _id: 2, name: 'Bob', friends: [] }) } });
  second.kill('SIGTERM');
  expect((await once(second, 'exit'))[0]).toBe(0);
});
