/** The options of the reference under their documented names, each seen in what it does to a running adapter or loader. */
import { describe, expect, it } from 'vitest';
import { SQLServerAdapter } from '../../../connectors/sqlserver/adapter.ts';
import type { SQLServerOptions } from '../../../connectors/sqlserver/options.ts';
import { create, failure, int, objectsOf, set, text, until, untilObjects } from '../../e2e/bad-input.ts';
import { benchSuite, POLL } from '../bench.ts';

const bench = benchSuite();

const note = { name: 'note', primaryKey: 'id', properties: { id: 'int', text: 'string?' } };
const NOTE_TABLE = 'CREATE TABLE note (id bigint NOT NULL PRIMARY KEY, text nvarchar(max) NULL)';

async function running(tables: string, changes: Partial<SQLServerOptions>) {
  const place = await bench().place(tables);
  const options = { schema: [note], ignoreSQLerrors: false, ...changes };
  const adapter = await place.started(options);
  const device = await place.device();
  return { place, adapter, device };
}

describe('what is made', () => {
  it('by createSQLServerDB is a database, prepared for what the adapter needs', async () => {
    const place = await bench().place('');
    const name = `${place.database}_made`;
    const { sqlserver } = bench();
    const options = {
      schema: [note],
      dbName: name,
      sqlserverConfig: { connectionString: sqlserver.url() },
      createSQLServerDB: true,
    };
    await place.started(options);
    const device = await place.device();
    await sqlserver.query(name, "INSERT note VALUES (1, 'sql')");
    await untilObjects(device, [{ id: '1', text: 'sql' }], 'note');
    await place.started({
      ...options,
      adapterName: 'other',
      localPath: `${place.directory}/other`,
      realmRegex: '/other',
    });
  });

  it('by dbSchema stands in a schema of that name', async () => {
    const { place, device } = await running('', { dbSchema: 'My Shop' });
    device.replica.write(create(int(1), { text: text('device') }, 'note'));
    await place.sql("INSERT [My Shop].note VALUES (2, 'sql')");
    await expect.poll(() => place.sql('SELECT text FROM [My Shop].note ORDER BY id'), POLL).toHaveLength(2);
    await until(() => device.replica.count('note') === 2);
  });

  it('is nothing where createSQLServerSchema is false, which says what is missing', async () => {
    const place = await bench().place('');
    const error = await failure(place.adapter({ schema: [note], createSQLServerSchema: false }).start());
    expect(error.message).toMatch(/note/);
    expect(await place.sql("SELECT name FROM sys.tables WHERE name = 'note'")).toEqual([]);
  });

  it('are classes by initializeRealmFromSQLServer, as the tables are', async () => {
    const { place, device } = await running(
      `CREATE TABLE Customer (Id int NOT NULL PRIMARY KEY, Name nvarchar(50) NOT NULL, Born date NULL);
       CREATE TABLE [Order] (Id int NOT NULL PRIMARY KEY, Total decimal(10, 2) NULL, IsOpen bit NOT NULL DEFAULT 1,
         Customer int NULL REFERENCES Customer, Made datetime2 NULL, Token uniqueidentifier NULL, Picture varbinary(max) NULL)`,
      { schema: undefined, initializeRealmFromSQLServer: true },
    );
    await until(() => device.replica.schema.has('Order'));
    const columns = device.replica.schema.get('Order')?.columns;
    expect([...(columns ?? [])].map(([name, { type }]) => [name, type])).toEqual(
      expect.arrayContaining([
        ['Total', 'decimal128'],
        ['IsOpen', 'bool'],
        ['Customer', 'link'],
        ['Made', 'date'],
        ['Token', 'uuid'],
        ['Picture', 'data'],
      ]),
    );
    await place.sql(
      `INSERT Customer VALUES (1, 'c', '2000-01-02'); INSERT [Order] (Id, Total, Customer) VALUES (5, 1.5, 1)`,
    );
    await until(() => device.replica.count('Order') === 1);
    device.replica.write([
      { op: 'CreateObject', table: 'Customer', key: int(2) },
      ...set(int(2), { Name: text('device') }, 'Customer'),
    ]);
    await expect
      .poll(() => place.sql('SELECT Name FROM Customer WHERE Id = 2'), POLL)
      .toEqual([{ Name: 'device' }]);
  });
});

describe('names', () => {
  it('of every kind: mixed case, reserved words, brackets, other alphabets', async () => {
    const order = {
      name: 'Order',
      primaryKey: 'Key',
      properties: {
        Key: 'int',
        select: 'string?',
        'größe 漢': 'string?',
        'with]bracket': 'string?',
        "o'clock": 'string?',
      },
    };
    const { place, device } = await running('', { schema: [order] });
    await until(() => device.replica.schema.has('Order'));
    const fields = { select: 'a', 'größe 漢': 'b', 'with]bracket': 'c', "o'clock": 'd' };
    device.replica.write(
      create(
        int(1),
        Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, text(value)])),
        'Order',
      ),
    );
    await expect
      .poll(() => place.sql(`SELECT [select], [größe 漢], [with]]bracket], [o'clock] FROM [Order]`), POLL)
      .toEqual([fields]);
    await place.sql(`UPDATE [Order] SET [with]]bracket] = 'x', [o'clock] = 'y'`);
    await until(() => {
      const object = device.replica.object('Order', int(1));
      return ['with]bracket', "o'clock"].every((name) => {
        const value = object?.fields.get(name);
        return value?.type === 'string' && value.value < 'z' && value.value >= 'x';
      });
    });
  });

  it('that are mapped by functions one way only are inverted', async () => {
    const { place, device } = await running(
      'CREATE TABLE tbl_note (note_id bigint NOT NULL PRIMARY KEY, note_text nvarchar(max) NULL)',
      {
        mapSQLServerTableName: (table) => table.replace(/^tbl_/, ''),
        mapSqlServerColumnName: (_table, column) => column.replace(/^note_/, ''),
      },
    );
    await place.sql("INSERT INTO tbl_note VALUES (1, 'a')");
    device.replica.write(create(int(2), { text: text('b') }, 'note'));
    await untilObjects(
      device,
      [
        { id: '1', text: 'a' },
        { id: '2', text: 'b' },
      ],
      'note',
    );
    await expect
      .poll(() => place.sql('SELECT note_text FROM tbl_note WHERE note_id = 2'), POLL)
      .toEqual([{ note_text: 'b' }]);
  });

  it('longer than 128 characters are kept within what the server takes', async () => {
    const long = `a_table_${'x'.repeat(118)}`;
    const owner = {
      name: 'thing',
      primaryKey: 'id',
      properties: { id: 'int', notes: 'note[]', others: 'note[]' },
    };
    const options = {
      schema: [note, owner],
      mapRealmClassName: (name: string) => (name === 'thing' ? long : name),
    };
    const { place, adapter, device } = await running('', options);
    const item = (field: string, index: number, id: number) =>
      ({
        op: 'ArrayInsert',
        table: 'thing',
        key: int(1),
        field,
        path: [index],
        value: { type: 'link', table: 'note', key: int(id) },
        priorSize: index,
      }) as const;
    await until(() => device.replica.schema.has('thing'));
    device.replica.write([
      ...create(int(1), {}, 'note'),
      ...create(int(2), {}, 'note'),
      ...create(int(1), {}, 'thing'),
      item('notes', 0, 1),
      item('others', 0, 2),
      item('others', 1, 1),
    ]);
    const lists = async () =>
      (await place.sql("SELECT name FROM sys.tables WHERE name LIKE '%a_table%' ORDER BY name"))
        .map(({ name }) => name ?? '')
        .filter((name) => name !== long);
    await expect
      .poll(async () => {
        const counts = (await lists()).map(
          async (name) => (await place.sql(`SELECT idx FROM [${name}]`)).length,
        );
        return (await Promise.all(counts)).toSorted();
      }, POLL)
      .toEqual([1, 2]);
    await adapter.close();
    await place.started({ ...options, ignoreSQLerrors: false }); // finds everything again
  });

  it('that two classes would share are refused', async () => {
    const place = await bench().place(NOTE_TABLE);
    const error = await failure(
      place.adapter({ schema: [note, { ...note, name: 'memo' }], mapRealmClassName: () => 'note' }).start(),
    );
    expect(error.message).toMatch(/note.*memo|memo.*note/);
  });
});

describe('conversion', () => {
  it('by convertSQLServerValueToRealm and convertRealmValueToSQLServer, between types too', async () => {
    const model = { ...note, properties: { ...note.properties, seen: 'bool?' } };
    const { place, device } = await running(
      'CREATE TABLE note (id bigint NOT NULL PRIMARY KEY, text nvarchar(max) NULL, seen nvarchar(5) NULL)',
      {
        schema: [model],
        convertSQLServerValueToRealm: (_table, column, value) =>
          column === 'seen' && value !== null ? value === 'yes' : value,
        convertRealmValueToSQLServer: (_class, property, value) =>
          property === 'seen' && value !== null ? (value ? 'yes' : 'no') : value,
      },
    );
    await place.sql("INSERT note VALUES (1, 'a', 'yes'), (2, 'b', 'no')");
    await until(() => device.replica.schema.has('note'));
    device.replica.write(create(int(3), { seen: { type: 'bool', value: true } }, 'note'));
    await expect.poll(() => place.sql('SELECT seen FROM note WHERE id = 3'), POLL).toEqual([{ seen: 'yes' }]);
    await expect
      .poll(
        () =>
          objectsOf(device.replica, 'note')
            .map(({ id, seen }) => [id, seen])
            .toSorted(),
        POLL,
      )
      .toEqual([
        ['1', 'true'],
        ['2', 'false'],
        ['3', 'true'],
      ]);
  });

  it('that fails is an error of that value, and names the function', async () => {
    const { place, device } = await running(NOTE_TABLE, {
      ignoreSQLerrors: true,
      convertSQLServerValueToRealm: (_table, column, value) => {
        if (column === 'text' && value === 'bad') throw new Error('no such word');
        return value;
      },
    });
    await place.sql("INSERT note VALUES (1, 'bad'), (2, 'good')");
    await untilObjects(device, [{ id: '2', text: 'good' }], 'note');
    expect(place.log.join('\n')).toMatch(/convertSQLServerValueToRealm.*no such word/);
  });
});

describe('realms', () => {
  it('are told apart by mapSQLServerChangeToRealmPath, and rows are given to theirs by mapRealmChangeToSQLServerTable', async () => {
    const model = { ...note, properties: { ...note.properties, owner: 'string?' } };
    const place = await bench().place(
      'CREATE TABLE note (id bigint NOT NULL PRIMARY KEY, text nvarchar(max) NULL, owner nvarchar(20) NULL)',
    );
    const options: Partial<SQLServerOptions> = {
      schema: [model],
      ignoreSQLerrors: false,
      realmRegex: `${place.path}/.*`,
      mapSQLServerChangeToRealmPath: (_table, row) =>
        typeof row.owner === 'string' ? `${place.path}/${row.owner}` : '',
      mapRealmChangeToSQLServerTable: (path) => ({
        extraProperties: { owner: path.split('/').at(-1) ?? '' },
      }),
    };
    await place.sql("INSERT note VALUES (1, 'a', 'anna'), (2, 'b', 'ben')");
    await place.load({}, options);
    await place.started(options);
    const [anna, ben] = [await place.device(`${place.path}/anna`), await place.device(`${place.path}/ben`)];
    await until(() => anna.replica.count('note') === 1 && ben.replica.count('note') === 1);
    anna.replica.write(create(int(3), { text: text('device') }, 'note'));
    await expect
      .poll(() => place.sql('SELECT owner FROM note WHERE id = 3'), POLL)
      .toEqual([{ owner: 'anna' }]);
    await place.sql("UPDATE note SET owner = 'ben' WHERE id = 1; INSERT note VALUES (4, 'new', 'carla')");
    await until(() => ben.replica.count('note') === 2);
    const carla = await place.device(`${place.path}/carla`);
    await until(() => carla.replica.count('note') === 1);
    const ids = () => objectsOf(anna.replica, 'note').map(({ id }) => id);
    await expect.poll(ids, POLL).toEqual(['3']);
    const { lines } = await place.verify({}, options);
    expect(lines).toEqual([]);
  });
});

describe('the loader', () => {
  it('writes loaderSQLBatchSize rows a transaction', async () => {
    const place = await bench().place(`${NOTE_TABLE};
      DECLARE @n int = 1; WHILE @n <= 95 BEGIN INSERT note (id) VALUES (@n); SET @n = @n + 1 END`);
    const loader = place.loader({ schema: [note], loaderSQLBatchSize: 10 });
    expect((await loader.init()).tables).toMatchObject([{ rowsRead: 95, objectsWritten: 95 }]);
    const device = await place.device();
    await until(() => device.replica.count('note') === 95);
    // The schema, and ten transactions of at most ten rows.
    expect(device.replica.download.serverVersion).toBeGreaterThanOrEqual(11);
  });

  it('leaves the upload to the adapter where loadOnline is false', async () => {
    const place = await bench().place(`${NOTE_TABLE}; INSERT note VALUES (1, 'a')`);
    const report = await place.loader({ schema: [note], loadOnline: false }).init();
    expect(report.uploaded).toBe(false);
    await place.started({ schema: [note] });
    const device = await place.device();
    await untilObjects(device, [{ id: '1', text: 'a' }], 'note');
  });
});

describe('switches', () => {
  it.each(['switchToReferenceRealm', 'switchToRefernceRealm'] as const)(
    '%s is taken, and explained',
    async (name) => {
      const { place } = await running(NOTE_TABLE, { [name]: true });
      expect(place.log.join('\n')).toMatch(/switchToRefe?re?nceRealm has no effect/);
    },
  );

  it('realmIgnoreProperties keeps properties in the realm', async () => {
    const model = { ...note, properties: { ...note.properties, draft: 'string?' } };
    const { place, device } = await running('', {
      schema: [model],
      realmIgnoreProperties: { note: ['draft'] },
    });
    await until(() => device.replica.schema.has('note'));
    device.replica.write(create(int(1), { text: text('a'), draft: text('mine') }, 'note'));
    await place.untilRows([{ id: '1', text: 'a' }], 'note');
  });

  it('an unknown option is refused with the nearest that exists', async () => {
    const place = await bench().place('');
    const options = { ...place.options(), mapSQLServerTablename: () => 'x' };
    expect(() => new SQLServerAdapter(options as SQLServerOptions)).toThrow(/mapSQLServerTableName/);
  });
});
