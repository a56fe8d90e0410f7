/** The options of the reference under their documented names, each seen in what it does to a running adapter or loader. */
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PostgresAdapter } from '../../../connectors/postgres/adapter.ts';
import type { PostgresOptions } from '../../../connectors/postgres/options.ts';
import { unprivilegedAccount } from '../../../src/embedded/unprivileged-process.ts';
import { AdapterSuite } from '../../support/adapter-suite.ts';
import { embedded } from '../../support/postgres.ts';

const WAIT = { timeout: 20_000, interval: 50 };
const suite = new AdapterSuite();
beforeAll(() => suite.start());
afterEach(() => suite.closeOpened());
afterAll(() => suite.stop());

const note = { name: 'note', primaryKey: 'id', properties: { id: 'int', text: 'string?' } };
const NOTE_TABLE = 'CREATE TABLE note (id bigint PRIMARY KEY, text text)';

type Line = { readonly level: string; readonly message: string; readonly fields: Record<string, unknown> };

/** A logger as a program brings its own, and what was said to it. */
function listening(): { lines: Line[]; logger: NonNullable<PostgresOptions['logger']> } {
  const lines: Line[] = [];
  const say =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}): void =>
      void lines.push({ level, message, fields });
  const [error, warn, info, verbose, debug] = ['error', 'warn', 'info', 'verbose', 'debug'].map(say);
  return {
    lines,
    logger: { error: error!, warn: warn!, info: info!, verbose: verbose!, debug: debug! },
  };
}

/** The adapter's own options and a realm of its own for this test. */
function given(database: string, path: string, more: Partial<PostgresOptions> = {}): PostgresOptions {
  return suite.options(database, {
    realmRegex: path,
    mapPostgresChangeToRealmPath: path,
    schema: [note],
    ...more,
  });
}

describe('realmConfig', () => {
  it('takes the address of the server in every form that SDKs use', async () => {
    const { port } = new URL(suite.server.url);
    for (const server of [`realm://127.0.0.1:${port}`, `ws://127.0.0.1:${port}/`, suite.server.url]) {
      const database = await suite.postgres.createDatabase();
      const options = given(database, '/addresses');
      await suite.adapter({ ...options, realmConfig: { ...options.realmConfig, server } });
      await suite.closeOpened();
    }
  });

  it('refuses a user whom the server does not know, by name and without the password', async () => {
    const options = given(await suite.postgres.createDatabase(), '/strangers');
    const user = { username: 'nobody', password: 'nobody-s-password' };
    const refused = await suite
      .adapter({ ...options, realmConfig: { ...options.realmConfig, user } })
      .catch((error: unknown) => error);
    expect(String(refused)).toMatch(/nobody/);
    expect(String(refused)).not.toContain(user.password);
  });
});

describe('postgresConfig', () => {
  it('takes all of it in a connection string, which names the database too', async () => {
    const database = await suite.postgres.createDatabase();
    const { dbName: _, ...options } = given(database, '/by-url');
    await suite.adapter({ ...options, postgresConfig: { connectionString: suite.postgres.url(database) } });
    const { realm } = await suite.device('/by-url', [note]);
    await suite.postgres.query(database, "INSERT INTO note VALUES (1, 'a')");
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 1)?.text).toBe('a'), WAIT);
  });

  it('gives up connecting after connect_timeout, naming host and port', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const options = given('anything', '/silence', { connect_timeout: 1 });
    const refused = await suite
      .adapter({ ...options, postgresConfig: { host: '127.0.0.1', port, user: 'u', password: 'p' } })
      .catch((error: unknown) => error);
    silent.close();
    expect(String(refused)).toContain(`127.0.0.1:${port}`);
  });
});

describe('postgresSchema', () => {
  it('keeps the tables in a schema of that name, which is made', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.adapter(given(database, '/schemas', { postgresSchema: 'My Shop' }));
    const { realm } = await suite.device('/schemas', [note]);
    realm.write(() => realm.create('note', { id: 1, text: 'device' }));
    await suite.postgres.query(database, `INSERT INTO "My Shop".note VALUES (2, 'sql')`);
    await vi.waitFor(async () => {
      expect(realm.objectForPrimaryKey('note', 2)?.text).toBe('sql');
      expect(await suite.postgres.query(database, `SELECT text FROM "My Shop".note WHERE id = 1`)).toEqual([
        { text: 'device' },
      ]);
    }, WAIT);
  });
});

describe('names', () => {
  it('of every kind: quoted, mixed case, reserved words, other alphabets', async () => {
    const database = await suite.postgres.createDatabase();
    const order = {
      name: 'Order',
      primaryKey: 'Key',
      properties: {
        Key: 'int',
        select: 'string?',
        'größe 漢': 'string?',
        'with"quote': 'string?',
        user: 'Order?',
      },
    };
    await suite.adapter(given(database, '/names', { schema: [order] }));
    const { realm } = await suite.device('/names', [order]);
    realm.write(() => {
      const first = realm.create('Order', { Key: 1, select: 'a', 'größe 漢': 'b', 'with"quote': 'c' });
      realm.create('Order', { Key: 2, user: first });
    });
    const rows = 'SELECT "Key", "select", "größe 漢", "with""quote", "user" FROM "Order" ORDER BY "Key"';
    await vi.waitFor(async () => {
      expect((await suite.postgres.query(database, rows)).map((row) => Object.values(row))).toEqual([
        ['1', 'a', 'b', 'c', null],
        ['2', null, null, null, '1'],
      ]);
    }, WAIT);
    await suite.postgres.query(
      database,
      `UPDATE "Order" SET "select" = 'x', "with""quote" = 'y' WHERE "Key" = 2`,
    );
    await vi.waitFor(() => {
      expect(realm.objectForPrimaryKey('Order', 2)?.select).toBe('x');
      expect(realm.objectForPrimaryKey('Order', 2)?.['with"quote']).toBe('y');
    }, WAIT);
  });

  it('longer than 63 bytes are kept as the server keeps them, list tables by a digest', async () => {
    const database = await suite.postgres.createDatabase();
    const long = 'a_table_whose_name_goes_on_and_on_beyond_what_the_server_keeps_of_any';
    const property = 'a_property_that_is_about_as_long_as_the_properties_of_a_class';
    const owner = {
      name: 'thing',
      primaryKey: 'id',
      properties: { id: 'int', [property]: 'string?', notes: 'note[]', others: 'note[]' },
    };
    const kept = long.slice(0, 63);
    const options = given(database, '/long', {
      schema: [note, owner],
      mapRealmClassName: (name) => (name === 'thing' ? long : name),
      mapRealmPropertyName: (_class, name) => (name === property ? `${name}_and_longer` : name),
    });
    await suite.adapter(options);
    const { realm } = await suite.device('/long', [note, owner]);
    realm.write(() => {
      const [one, two] = [1, 2].map((id) => realm.create('note', { id }));
      realm.create(owner.name, { id: 1, [property]: 'x', notes: [one], others: [two, one] });
    });
    const tables = `SELECT table_name AS name FROM information_schema.tables WHERE table_name LIKE 'a_table%' ORDER BY 1`;
    await vi.waitFor(async () => {
      const names = (await suite.postgres.query(database, tables)).map(({ name }) => name ?? '');
      expect(names).toHaveLength(3);
      expect(names).toContain(kept);
      const lists = names.filter((name) => name !== kept);
      const counts = await Promise.all(
        lists.map((name) => suite.postgres.query(database, `SELECT count(*) FROM "${name}"`)),
      );
      expect(counts.map(([row]) => row?.count).sort()).toEqual(['1', '2']);
    }, WAIT);
    await suite.postgres.query(
      database,
      `UPDATE "${kept}" SET "${`${property}_and_longer`.slice(0, 63)}" = 'y'`,
    );
    await vi.waitFor(() => expect(realm.objectForPrimaryKey(owner.name, 1)?.[property]).toBe('y'), WAIT);
    await suite.closeOpened();
    await suite.adapter(options); // finds everything again
  });

  it('that are mapped by functions one way only are inverted', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(
      database,
      'CREATE TABLE tbl_note (note_id bigint PRIMARY KEY, note_text text)',
    );
    await suite.adapter(
      given(database, '/inverted', {
        mapPostgresTableName: (table) => table.replace(/^tbl_/, ''),
        mapPostgresColumnName: (_table, column) => column.replace(/^note_/, ''),
      }),
    );
    const { realm } = await suite.device('/inverted', [note]);
    await suite.postgres.query(database, "INSERT INTO tbl_note VALUES (1, 'a')");
    realm.write(() => realm.create('note', { id: 2, text: 'b' }));
    await vi.waitFor(async () => {
      expect(realm.objectForPrimaryKey('note', 1)?.text).toBe('a');
      expect(
        await suite.postgres.query(database, 'SELECT note_text FROM tbl_note WHERE note_id = 2'),
      ).toEqual([{ note_text: 'b' }]);
    }, WAIT);
  });

  it('that two classes would share are refused', async () => {
    const database = await suite.postgres.createDatabase();
    const refused = await suite
      .adapter(
        given(database, '/shared', {
          schema: [note, { ...note, name: 'memo' }],
          mapRealmClassName: () => 'note',
        }),
      )
      .catch((error: unknown) => error);
    expect(String(refused)).toMatch(/note.*memo|memo.*note/);
  });
});

describe('conversion', () => {
  it('by convertPostgresValueToRealm and convertRealmValueToPostgres, between types too', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(database, 'CREATE TABLE note (id bigint PRIMARY KEY, text text, seen text)');
    const model = { ...note, properties: { ...note.properties, seen: 'bool?' } };
    const asked: unknown[] = [];
    await suite.adapter(
      given(database, '/converted', {
        schema: [model],
        convertPostgresValueToRealm: (table, column, value) => {
          asked.push([table, column]);
          return column === 'seen' && value !== null ? value === 'yes' : value;
        },
        convertRealmValueToPostgres: (className, property, value) => {
          asked.push([className, property]);
          return property === 'seen' && value !== null ? (value ? 'yes' : 'no') : value;
        },
      }),
    );
    const { realm } = await suite.device('/converted', [model]);
    await suite.postgres.query(database, "INSERT INTO note VALUES (1, 'a', 'yes'), (2, 'b', 'no')");
    realm.write(() => realm.create('note', { id: 3, seen: true }));
    await vi.waitFor(async () => {
      expect([1, 2].map((id) => realm.objectForPrimaryKey('note', id)?.seen)).toEqual([true, false]);
      expect(await suite.postgres.query(database, 'SELECT seen FROM note WHERE id = 3')).toEqual([
        { seen: 'yes' },
      ]);
    }, WAIT);
    expect(asked).toContainEqual(['note', 'seen']);
  });

  it('that fails is an error of that value, and names the function', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(database, NOTE_TABLE);
    const { lines, logger } = listening();
    await suite.adapter(
      given(database, '/failing', {
        ignoreSQLerrors: true,
        logger,
        convertPostgresValueToRealm: (_table, column, value) => {
          if (column === 'text' && value === 'bad') throw new Error('no such word');
          return value;
        },
      }),
    );
    const { realm } = await suite.device('/failing', [note]);
    await suite.postgres.query(database, "INSERT INTO note VALUES (1, 'bad'), (2, 'good')");
    await vi.waitFor(() => expect(realm.objectForPrimaryKey('note', 2)?.text).toBe('good'), WAIT);
    expect(realm.objectForPrimaryKey('note', 1)).toBeNull();
    expect(JSON.stringify(lines)).toMatch(/convertPostgresValueToRealm.*no such word/);
  });
});

describe('the loader', () => {
  it('writes loaderSQLBatchSize rows a transaction', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(database, NOTE_TABLE);
    await suite.postgres.query(database, 'INSERT INTO note SELECT i FROM generate_series(1, 95) AS i');
    const report = await suite.load(given(database, '/batches', { loaderSQLBatchSize: 10 }));
    expect(report.tables).toMatchObject([{ rowsRead: 95, objectsWritten: 95 }]);
    const { device } = await suite.device('/batches', [note]);
    await vi.waitFor(() => expect(device.replica.count('note')).toBe(95), WAIT);
    // The schema, and ten transactions of at most ten rows.
    expect(device.replica.download.serverVersion).toBeGreaterThanOrEqual(11);
  });

  it('waits loaderUploadMaxWaitTime for the server, and says that the rest comes later', async () => {
    const database = await suite.postgres.createDatabase();
    await suite.postgres.query(database, NOTE_TABLE);
    await suite.postgres.query(
      database,
      "INSERT INTO note SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) AS i",
    );
    const { lines, logger } = listening();
    const options = given(database, '/waiting', { loaderUploadMaxWaitTime: 0, logger });
    expect((await suite.load(options)).uploaded).toBe(false);
    expect(lines.map(({ message }) => message).join()).toMatch(/when the adapter starts/);
    await suite.adapter(options);
    const { device } = await suite.device('/waiting', [note]);
    await vi.waitFor(() => expect(device.replica.count('note')).toBe(20_000), {
      timeout: 60_000,
      interval: 200,
    });
  });
});

describe('switches', () => {
  it('switchToReferenceRealm is taken, and explained', async () => {
    const database = await suite.postgres.createDatabase();
    const { lines, logger } = listening();
    await suite.adapter(given(database, '/reference', { switchToReferenceRealm: true, logger }));
    expect(lines.map(({ message }) => message).join()).toMatch(/switchToReferenceRealm has no effect/);
  });

  it('createPostgresSchema: false makes nothing, and says what is missing', async () => {
    const database = await suite.postgres.createDatabase();
    const refused = await suite
      .adapter(given(database, '/unmade', { createPostgresSchema: false }))
      .catch((error: unknown) => error);
    expect(String(refused)).toMatch(/note/);
    const [row] = await suite.postgres.query(database, "SELECT to_regclass('note') AS found");
    expect(row?.found).toBeNull();
  });

  it('realmIgnoreProperties keeps properties in the realm, by name or by class', async () => {
    const database = await suite.postgres.createDatabase();
    const model = { ...note, properties: { ...note.properties, draft: 'string?', other: 'string?' } };
    const ignored = { schema: [model], realmIgnoreProperties: { note: ['draft'] } };
    await suite.adapter(given(database, '/ignored', ignored));
    const { realm } = await suite.device('/ignored', [model]);
    realm.write(() => realm.create('note', { id: 1, text: 'a', draft: 'mine', other: 'b' }));
    await vi.waitFor(async () => {
      expect(await suite.postgres.query(database, 'SELECT * FROM note')).toEqual([
        { id: '1', text: 'a', other: 'b' },
      ]);
    }, WAIT);
  });

  it('an unknown option is refused with the nearest that exists', () => {
    const options = { ...given('x', '/x'), mapPostgresTablename: () => 'x' };
    expect(() => new PostgresAdapter(options as PostgresOptions)).toThrow(/mapPostgresTableName/);
  });
});

describe('TLS', () => {
  const certificate = (name: string): URL => new URL(`../../support/certificates/${name}`, import.meta.url);

  /** The server takes its key only from a file that nobody else can read. */
  async function switchOn(): Promise<string> {
    const directory = mkdtempSync(join(tmpdir(), 'isthmus-certificate-'));
    const account = unprivilegedAccount();
    for (const name of ['server.crt', 'server.key']) {
      const path = join(directory, name);
      copyFileSync(certificate(name), path);
      chmodSync(path, 0o600);
      if (account !== undefined) chownSync(path, account.uid, account.gid);
    }
    if (account !== undefined) chownSync(directory, account.uid, account.gid);
    const { postgres } = suite;
    await postgres.query('postgres', `ALTER SYSTEM SET ssl_cert_file = '${join(directory, 'server.crt')}'`);
    await postgres.query('postgres', `ALTER SYSTEM SET ssl_key_file = '${join(directory, 'server.key')}'`);
    await postgres.query('postgres', 'ALTER SYSTEM SET ssl = on');
    await postgres.query('postgres', 'SELECT pg_reload_conf()');
    return directory;
  }

  it.runIf(embedded)('with postgresConfig.ssl, checked against the certificate that is given', async () => {
    const directory = await switchOn();
    try {
      const database = await suite.postgres.createDatabase();
      const options = given(database, '/secure');
      const ca = readFileSync(certificate('server.crt'), 'utf8');
      await suite.adapter({ ...options, postgresConfig: { ...options.postgresConfig, ssl: { ca } } });
      const used = await suite.postgres.query(
        database,
        `SELECT count(*) > 1 AND bool_and(s.ssl) AS ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
         WHERE a.application_name LIKE 'isthmus%' AND a.datname = '${database}'`,
      );
      expect(used).toEqual([{ ssl: 't' }]);
      await suite.closeOpened();
      const refused = await suite
        .adapter({ ...options, postgresConfig: { ...options.postgresConfig, ssl: true } })
        .catch((error: unknown) => error);
      expect(String(refused)).toMatch(/certificate/);
    } finally {
      await suite.postgres.query('postgres', 'ALTER SYSTEM SET ssl = off');
      await suite.postgres.query('postgres', 'SELECT pg_reload_conf()');
      rmSync(directory, { recursive: true });
    }
  });
});
