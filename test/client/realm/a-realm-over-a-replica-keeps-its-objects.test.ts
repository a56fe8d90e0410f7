import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ObjectRealm } from '../../../src/client/realm/object-realm.ts';
import { openReplicaStore, type SqliteReplicaStore } from '../../../src/store/replica/open-replica-store.ts';

const schema = [
  {
    name: 'Task',
    primaryKey: '_id',
    properties: { _id: 'uuid', title: 'string', due: 'date?', next: 'Task?', tags: 'string<>', any: 'mixed' },
  },
];
const first = '3b241101-e2bb-4255-8caf-4136c566a962';
const second = '00000000-0000-4000-8000-000000000001';

const directory = mkdtempSync(join(tmpdir(), 'isthmus-object-realm-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(): { store: SqliteReplicaStore; realm: ObjectRealm } {
  const store = openReplicaStore(directory);
  const replica = store.replica('/tasks');
  const realm = new ObjectRealm({ reader: replica, write: (written) => replica.write(written), schema });
  return { store, realm };
}

test('objects are there again after closing and opening, and wait for upload', () => {
  const before = open();
  before.realm.write(() => {
    const next = before.realm.create('Task', { _id: second, title: 'later' });
    const due = new Date(-1);
    const any = [{ deep: [1n, null] }];
    before.realm.create('Task', { _id: first, title: 'now', due, next, tags: ['b', 'a'], any });
  });
  before.realm.close();
  before.store.close();

  const { store, realm } = open();
  const task = realm.objectForPrimaryKey<{ title: string; next: { title: string }; any: unknown }>(
    'Task',
    first,
  );
  expect(JSON.parse(JSON.stringify(task))).toEqual({
    _id: first,
    title: 'now',
    due: '1969-12-31T23:59:59.999Z',
    next: { _id: second, title: 'later', due: null, next: null, tags: [], any: null },
    tags: ['b', 'a'],
    any: [{ deep: [1, null] }],
  });
  expect(store.replica('/tasks').hasUnsynced()).toBe(true);
  realm.write(() => {
    realm.delete(task?.next);
    realm.create('Task', { _id: second, title: 'again' });
  });
  expect(task?.next).toBeNull();
  expect(realm.objects<{ title: string }>('Task').map(({ title }) => title)).toEqual(['again', 'now']);
  store.close();
});
