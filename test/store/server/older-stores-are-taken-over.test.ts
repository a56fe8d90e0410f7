import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeChangeset } from '../../../src/changeset/codec.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import { SERVER_TABLES } from '../../../src/store/server/server-tables.ts';
import { type Migrations, openDatabase } from '../../../src/store/sqlite/database.ts';
import { STATE_TABLES } from '../../../src/store/sqlite/state-tables.ts';
import { createItem, entry, SCHEMA, upload } from './changes.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const firstStepOf = ({ component, steps }: Migrations): Migrations => ({
  component,
  steps: steps.slice(0, 1),
});

/** A realm as the first version of the tables held it: one entry, one client that is there and one that has expired. */
function writeOlderStore(directory: string): void {
  const tables = [STATE_TABLES, SERVER_TABLES].map(firstStepOf);
  const database = openDatabase(join(directory, 'realms.db'), tables);
  database.exec("INSERT INTO realms (path) VALUES ('/old')");
  const changeset = encodeChangeset(SCHEMA);
  database.prepare('INSERT INTO entries VALUES (1, 1, 9, 0, 0, 5, ?, ?)').run(changeset.length, changeset);
  database.exec(`INSERT INTO client_files VALUES (1, 2, 11, 0, 0, 0, 1), (1, 3, 12, 0, 0, 0, 0);
    INSERT INTO classes (realm, name, kind, key_field, key_type, key_nullable, next_column)
      VALUES (1, 'Item', 'topLevel', '_id', 'int', 0, 1);
    INSERT INTO columns VALUES (1, 0, 'n', 'int', 0, 'single', NULL);`);
  database.close();
}

test('a store of the first version opens, and its clients go on as what they were', async () => {
  const directory = temporaryDirectory();
  writeOlderStore(directory);
  const store = await openServerStore(directory);
  try {
    const realm = await store.realm('/old');
    expect(realm.head).toEqual({ version: 1, salt: 9n });
    const claim = {
      download: { serverVersion: 1, clientVersion: 0 },
      latest: { version: 1, salt: 9n },
    };
    const there = await realm.checkIdent({ fileIdent: 2, fileIdentSalt: 11n, ...claim });
    const expired = await realm.checkIdent({ fileIdent: 3, fileIdentSalt: 12n, ...claim });
    expect([there.kind, expired]).toMatchObject(['accepted', { kind: 'rejected', code: 222 }]);
    await realm.integrate(2, upload(entry(2, 1, [createItem(1)])));
    await realm.enableFlexibleSync();
    await realm.trim();
    expect(realm.now.count('Item')).toBe(1);
    expect((await realm.allocateClientFile()).fileIdent).toBe(4);
  } finally {
    await store.close();
  }
});
