import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCatalog } from '../../connectors/postgres/catalog.ts';
import { OWN_TABLES_DDL } from '../../connectors/postgres/own-tables.ts';
import { Session } from '../../connectors/postgres/session.ts';
import { PostgresWriter } from '../../connectors/postgres/writer/postgres-writer.ts';
import type { ApplyStatement, SqlText, SqlWriter, TableInfo } from '../../src/connector/dialect.ts';
import { ApplyError } from '../../src/connector/errors.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { Random, testSeed } from '../support/random.ts';
import { contextFor } from './session-context.ts';

const DDL = `
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN short AS varchar(3);
  CREATE TABLE parent (id int PRIMARY KEY, name varchar(5), mood mood, price numeric(8,2), at timestamptz, tags int[],
    code char(4), doc jsonb, bits bytea, brief short);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent (id) DEFERRABLE);
  CREATE TABLE pair (a int, b text, note text, PRIMARY KEY (a, b));
  CREATE TABLE made (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
  CREATE TABLE items (oid int NOT NULL, idx int NOT NULL, target int,
    PRIMARY KEY (oid, idx) DEFERRABLE INITIALLY IMMEDIATE);
  CREATE TABLE strict_items (oid int NOT NULL, idx int NOT NULL, target int, PRIMARY KEY (oid, idx));
`;

describe('the writer', () => {
  let server: TestPostgres;
  let database: string;
  let writer: SqlWriter;
  let table: (name: string) => TableInfo;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    database = await server.createDatabase();
    await server.query(database, `${OWN_TABLES_DDL.join(';')};${DDL}`);
    const session = await Session.open(contextFor(server, database));
    const catalog = await readCatalog(session, 'public', new Map());
    table = (name) => {
      const found = catalog.get(`public.${name}`);
      if (found === undefined) throw new Error(`no table ${name}`);
      return found;
    };
    writer = new PostgresWriter(session, 'adapter');
    return () => writer.close();
  });

  const rows = (sql: string) => server.query(database, sql);
  const upsert = (
    name: string,
    keyColumns: string[],
    columns: string[],
    ...values: SqlText[][]
  ): ApplyStatement => ({ kind: 'upsert', table: table(name), keyColumns, columns, rows: values });

  it('inserts what is missing and sets what exists, with every text as the column takes it', async () => {
    const columns = ['name', 'mood', 'price', 'at', 'tags', 'code', 'doc', 'bits', 'brief'];
    const first = [
      '1',
      'é"\\,',
      'ok',
      '1.50',
      '2020-01-01 00:00:00.000001+00',
      '{1,NULL}',
      'ab',
      '{"a": "{\\"}"}',
      '\\x00ff',
      'abc',
    ];
    await writer.apply([upsert('parent', ['id'], columns, first)], [{ realmPath: '/a', sequence: 1 }]);
    const second = ['1', ...columns.map(() => null)];
    expect(await rows(`SELECT name, mood, price, at, tags, code, doc, bits, brief FROM parent`)).toEqual([
      {
        name: 'é"\\,',
        mood: 'ok',
        price: '1.50',
        at: '2020-01-01 00:00:00.000001+00',
        tags: '{1,NULL}',
        code: 'ab  ',
        doc: '{"a": "{\\"}"}',
        bits: '\\x00ff',
        brief: 'abc',
      },
    ]);
    await writer.apply([upsert('parent', ['id'], columns, second, ['2', ...first.slice(1)])], []);
    expect(await rows('SELECT id, name FROM parent ORDER BY id')).toEqual([
      { id: '1', name: null },
      { id: '2', name: 'é"\\,' },
    ]);
  });

  it('sets only the named columns, ignores missing rows, and can look for a column that it sets', async () => {
    await rows(
      "INSERT INTO parent (id, name) VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (5, 1), (6, 2)",
    );
    await writer.apply(
      [
        {
          kind: 'update',
          table: table('parent'),
          keyColumns: ['id'],
          columns: ['mood'],
          rows: [
            ['1', 'sad'],
            ['9', 'ok'],
          ],
        },
        {
          kind: 'update',
          table: table('child'),
          keyColumns: ['parent_id'],
          columns: ['parent_id'],
          rows: [['1', null]],
        },
        { kind: 'delete', table: table('parent'), keyColumns: ['id'], rows: [['2'], ['77']] },
        { kind: 'deleteAll', table: table('child') },
      ],
      [],
    );
    expect(await rows('SELECT id, name, mood FROM parent')).toEqual([{ id: '1', name: 'a', mood: 'sad' }]);
    expect(await rows('SELECT * FROM child')).toEqual([]);
  });

  it('checks deferrable references at the end, so children may come before parents', async () => {
    await writer.apply(
      [upsert('child', ['id'], ['parent_id'], ['1', '7']), upsert('parent', ['id'], ['name'], ['7', 'p'])],
      [],
    );
    expect(await rows('SELECT parent_id FROM child')).toEqual([{ parent_id: '7' }]);
  });

  it('writes rows with compound keys, rows of keys alone, and keys that the database would make itself', async () => {
    await writer.apply(
      [
        upsert('pair', ['a', 'b'], ['note'], ['1', 'x', 'n'], ['1', 'y', 'm']),
        upsert('pair', ['b', 'a'], [], ['x', '1'], ['z', '1']),
        upsert('made', ['id'], ['name'], ['42', 'kept']),
        { kind: 'delete', table: table('pair'), keyColumns: ['b', 'a'], rows: [['y', '1']] },
      ],
      [],
    );
    expect(await rows('SELECT a, b, note FROM pair ORDER BY a, b')).toEqual([
      { a: '1', b: 'x', note: 'n' },
      { a: '1', b: 'z', note: null },
    ]);
    expect(await rows('SELECT * FROM made')).toEqual([{ id: '42', name: 'kept' }]);
  });

  it('writes more rows than one statement carries', async () => {
    const many = Array.from({ length: 25_001 }, (_, index): SqlText[] => [
      String(index),
      String(index % 100),
    ]);
    await writer.apply([upsert('parent', ['id'], ['name'], ...many)], []);
    expect(await rows('SELECT count(*), max(id) FROM parent')).toEqual([{ count: '25001', max: '25000' }]);
  });

  it.each(['items', 'strict_items'])('keeps the indexes of %s contiguous', async (name) => {
    const insert = (index: number, target: string): ApplyStatement => ({
      kind: 'listInsert',
      table: table(name),
      oid: '1',
      index,
      target,
    });
    await writer.apply([insert(0, '10'), insert(1, '11'), insert(2, '12'), insert(0, '9')], []);
    await writer.apply(
      [
        insert(1, '20'),
        insert(2, '21'),
        { kind: 'listErase', table: table(name), oid: '1', index: 0 },
        { kind: 'listSet', table: table(name), oid: '1', index: 2, target: '99' },
        { kind: 'listInsert', table: table(name), oid: '2', index: 0, target: null },
      ],
      [],
    );
    const list = `SELECT oid, string_agg(idx || ':' || coalesce(target::text, 'null'), ' ' ORDER BY idx) AS items
      FROM ${name} GROUP BY oid ORDER BY oid`;
    expect(await rows(list)).toEqual([
      { oid: '1', items: '0:20 1:21 2:99 3:11 4:12' },
      { oid: '2', items: '0:null' },
    ]);
    await writer.apply(
      [
        { kind: 'listClear', table: table(name), oid: '1' },
        { kind: 'listClear', table: table(name), oid: '2' },
        insert(0, '5'),
      ],
      [],
    );
    expect(await rows(list)).toEqual([{ oid: '1', items: '0:5' }]);
  });

  it.each(['items', 'strict_items'])('makes of %s what the same steps make of an array', async (name) => {
    const seed = testSeed();
    const random = new Random(seed);
    const model = new Map<string, string[]>([
      ['1', []],
      ['2', []],
    ]);
    for (let round = 0; round < 40; round += 1) {
      const statements: ApplyStatement[] = [];
      for (let count = random.chance(0.4) ? 1 : random.below(12); count > 0; count -= 1) {
        const oid = random.pick(['1', '2']);
        const items = model.get(oid) ?? [];
        const target = String(random.below(100));
        const list = { table: table(name), oid };
        const dice = random.below(10);
        if (dice < 5 || items.length === 0) {
          const index = random.below(items.length + 1);
          items.splice(index, 0, target);
          statements.push({ kind: 'listInsert', ...list, index, target });
        } else if (dice < 7) {
          const index = random.below(items.length);
          items[index] = target;
          statements.push({ kind: 'listSet', ...list, index, target });
        } else if (dice < 9 || random.chance(0.7)) {
          const index = random.below(items.length);
          items.splice(index, 1);
          statements.push({ kind: 'listErase', ...list, index });
        } else {
          items.length = 0;
          statements.push({ kind: 'listClear', ...list });
        }
      }
      await writer.apply(statements, []);
      const stored = await rows(`SELECT oid, idx, target FROM ${name} ORDER BY oid, idx`);
      const expected = [...model].flatMap(([oid, items]) =>
        items.map((target, index) => ({ oid, idx: String(index), target })),
      );
      expect(stored, `ISTHMUS_TEST_SEED=${seed} round ${round}`).toEqual(expected);
    }
  });

  it('closes gaps that somebody else left in a list', async () => {
    await rows('INSERT INTO items VALUES (1, 0, 10), (1, 2, 11), (1, 7, 12)');
    const list = { table: table('items'), oid: '1' };
    await writer.apply(
      [
        { kind: 'listErase', ...list, index: 1 },
        { kind: 'listInsert', ...list, index: 0, target: '9' },
      ],
      [],
    );
    expect(await rows('SELECT idx, target FROM items ORDER BY idx')).toEqual([
      { idx: '0', target: '9' },
      { idx: '1', target: '10' },
      { idx: '2', target: '12' },
    ]);
  });

  it('moves the checkpoint only together with the rows', async () => {
    await writer.apply([upsert('parent', ['id'], [], ['1'])], [{ realmPath: '/a', sequence: 3 }]);
    const bad = upsert('parent', ['id'], ['name'], ['2', 'much too long']);
    const failure = await writer
      .apply([bad], [{ realmPath: '/a', sequence: 4 }])
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplyError);
    expect(failure).toMatchObject({ errorClass: 'data', sqlState: '22001' });
    expect(await writer.checkpoints()).toEqual(new Map([['/a', 3]]));
    expect(await rows('SELECT id FROM parent')).toEqual([{ id: '1' }]);
    await writer.apply(
      [],
      [
        { realmPath: '/a', sequence: 4 },
        { realmPath: "/b'", sequence: 9 },
      ],
    );
    expect(await writer.checkpoints()).toEqual(
      new Map([
        ['/a', 4],
        ["/b'", 9],
      ]),
    );
  });

  it('never cuts a text to the length of its column, not even through a domain', async () => {
    const bad = upsert('parent', ['id'], ['brief'], ['1', 'abcd']);
    await expect(writer.apply([bad], [])).rejects.toMatchObject({ sqlState: '22001' });
  });

  it('names table and constraint of a violated rule', async () => {
    const failure: unknown = await writer
      .apply([upsert('child', ['id'], ['parent_id'], ['1', '404'])], [])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      errorClass: 'data',
      sqlState: '23503',
      place: { constraint: 'child_parent_id_fkey', table: 'child' },
    });
    expect(String(failure)).toContain('child');
    expect(String(failure)).toContain('404');
  });

  it('keeps a transaction that cannot be applied, with its reason, and moves past it', async () => {
    await writer.deadLetter(
      { realmPath: '/a', sequence: 8 },
      {
        direction: 'toSql',
        realmPath: '/a',
        sequence: 8,
        objects: [{ class: 'parent', key: '1' }],
        reason: { message: "it's bad\0", sqlState: '22021' },
        payload: '{"what": "a\0b"}',
        statements: [],
      },
    );
    expect(await writer.checkpoints()).toEqual(new Map([['/a', 8]]));
    expect(await rows('SELECT adapter, realm, sequence, payload, reason FROM isthmus.dead_letter')).toEqual([
      {
        adapter: 'adapter',
        realm: '/a',
        sequence: '8',
        payload: '{"what": "a\\u0000b"}',
        reason: "it's bad\\u0000",
      },
    ]);
  });

  it('calls a lost connection transient', async () => {
    await server.query(
      database,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await expect(writer.apply([], [{ realmPath: '/a', sequence: 1 }])).rejects.toMatchObject({
      errorClass: 'transient',
    });
  });
});
