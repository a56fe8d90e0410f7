/** What queries give: joins, groups, windows, set operations, subqueries and JSON. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Client, testServer } from './engine-client.ts';

const SEED = Number(process.env.ISTHMUS_TEST_SEED ?? Date.now() % 1_000_000);

let db: Client;

beforeAll(async () => {
  db = (await testServer()).connect();
  await db.run(`CREATE TABLE a (id int NOT NULL PRIMARY KEY, g varchar(5), n decimal(9,2), t nvarchar(20) COLLATE Latin1_General_CS_AS);
CREATE TABLE b (id int NOT NULL PRIMARY KEY, a int REFERENCES a(id));
INSERT a VALUES (1, 'x', 1.5, N'q'), (2, 'X', 2.5, N'Q'), (3, 'y', NULL, NULL), (4, NULL, 4, N'z');
INSERT b VALUES (10, 1), (15, 1), (20, 3), (25, NULL);`);
});

/** The rows as arrays. */
async function table(query: string): Promise<readonly unknown[][]> {
  return (await db.rows(query)).map((row) => Object.values(row));
}

describe('joins', () => {
  it.each<[string, unknown[][]]>([
    [
      'SELECT x.id, b.id AS k FROM a x INNER JOIN b ON b.a = x.id ORDER BY k',
      [
        [1, 10],
        [1, 15],
        [3, 20],
      ],
    ],
    [
      'SELECT x.id, b.id AS k FROM a x LEFT JOIN b ON b.a = x.id ORDER BY x.id, k DESC',
      [
        [1, 15],
        [1, 10],
        [2, null],
        [3, 20],
        [4, null],
      ],
    ],
    ['SELECT x.id, b.id AS k FROM a x RIGHT JOIN b ON b.a = x.id WHERE x.id IS NULL', [[null, 25]]],
    [
      'SELECT x.id, b.id AS k FROM a x FULL JOIN b ON b.a = x.id AND b.id > 12 ORDER BY 1, 2',
      [
        [null, 10],
        [null, 25],
        [1, 15],
        [2, null],
        [3, 20],
        [4, null],
      ],
    ],
    ['SELECT COUNT(*) FROM a, b', [[16]]],
    [
      'SELECT x.id, m FROM a x OUTER APPLY (SELECT MAX(b.id) AS m FROM b WHERE b.a = x.id) AS y ORDER BY x.id',
      [
        [1, 15],
        [2, null],
        [3, 20],
        [4, null],
      ],
    ],
    [
      'SELECT x.id, v.k FROM a x CROSS APPLY (VALUES (x.id * 10)) AS v (k) WHERE x.id < 3 ORDER BY 1',
      [
        [1, 10],
        [2, 20],
      ],
    ],
    [
      'SELECT x.id, y.id AS k FROM a x JOIN a y JOIN b ON b.a = y.id ON x.id = y.id + 1',
      [
        [2, 1],
        [2, 1],
        [4, 3],
      ],
    ],
    [
      'SELECT x.id, y.id AS k, z.id AS l FROM a x LEFT JOIN (a y JOIN b z ON z.a = y.id) ON y.id = x.id + 1 ORDER BY 1',
      [
        [1, null, null],
        [2, 3, 20],
        [3, null, null],
        [4, null, null],
      ],
    ],
    ['SELECT COUNT(*) FROM a x JOIN a y ON x.g = y.g', [[5]]],
    ['SELECT COUNT(*) FROM a x JOIN a y ON x.t = y.t', [[3]]],
  ])('%s', async (query, expected) => {
    expect(await table(query)).toEqual(expected);
  });

  it(`give what comparing every pair gives (seed ${SEED})`, async () => {
    let state = SEED;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 8) % limit;
    };
    const rows = (count: number) =>
      Array.from({ length: count }, (_, id) => ({
        id,
        k: random(8) === 0 ? null : random(6),
        s: 'aAbB'[random(4)]!,
      }));
    const [left, right] = [rows(40), rows(40)];
    const values = (all: typeof left) =>
      all.map(({ id, k, s }) => `(${id}, ${k ?? 'NULL'}, '${s}')`).join(', ');
    await db.run(
      `CREATE TABLE l (id int, k int, s varchar(3)); CREATE TABLE r (id int, k bigint, s nvarchar(3)); INSERT l VALUES ${values(left)}; INSERT r VALUES ${values(right)}`,
    );
    const matches = (x: (typeof left)[0], y: (typeof left)[0]) =>
      x.k !== null && x.k === y.k && x.s.toLowerCase() === y.s.toLowerCase() && x.id !== y.id;
    const pairs = left.flatMap((x) => right.filter((y) => matches(x, y)).map((y) => [x.id, y.id]));
    const on = 'l.k = r.k AND l.s = r.s AND l.id <> r.id';
    expect(await table(`SELECT l.id, r.id AS other FROM l JOIN r ON ${on} ORDER BY l.id, r.id`)).toEqual(
      pairs,
    );
    const lonely = left.filter((x) => !right.some((y) => matches(x, y))).map((x) => x.id);
    expect(
      (await table(`SELECT l.id FROM l LEFT JOIN r ON ${on} WHERE r.id IS NULL ORDER BY l.id`)).flat(),
    ).toEqual(lonely);
    expect(
      (await table(`SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE ${on}) ORDER BY id`)).flat(),
    ).toEqual(lonely);
  });
});

it('a table joined with a list is read, and locked, only where the list asks for it', async () => {
  const server = await testServer();
  const [one, other] = [server.connect(), server.connect()];
  await one.run('CREATE TABLE t (id int PRIMARY KEY, n int); INSERT t VALUES (1, 1), (2, 2)');
  await one.run(`BEGIN TRAN; UPDATE x SET x.n = 9 FROM t AS x WITH (UPDLOCK, SERIALIZABLE)
INNER JOIN OPENJSON('[["1"]]') WITH (k nvarchar(max) '$[0]') AS s ON x.id = CONVERT(int, s.k)`);
  expect(await other.failure('SET LOCK_TIMEOUT 0; UPDATE t SET n = 3 WHERE id = 2')).toBeUndefined();
  expect(await other.failure('UPDATE t SET n = 3 WHERE id = 1')).toBe(1222);
  await one.run('COMMIT');
  expect(await other.rows('SELECT n FROM t ORDER BY id')).toEqual([{ n: 9 }, { n: 3 }]);
  server.close();
});

describe('groups, windows and sets', () => {
  it.each<[string, unknown[][]]>([
    [
      'SELECT g, COUNT(*), COUNT(n), CONVERT(varchar(9), SUM(n)), MIN(t) FROM a GROUP BY g ORDER BY g',
      [
        [null, 1, 1, '4.00', 'z'],
        ['x', 2, 2, '4.00', 'q'],
        ['y', 1, 0, null, null],
      ],
    ],
    ['SELECT COUNT(*), MAX(n) FROM a WHERE 1 = 0', [[0, null]]],
    ['SELECT MAX(n) FROM a WHERE 1 = 0 GROUP BY g', []],
    ['SELECT g FROM a GROUP BY g HAVING COUNT(*) > 1', [['x']]],
    ['SELECT COUNT(DISTINCT g), COUNT(DISTINCT t) FROM a', [[2, 3]]],
    ["SELECT STRING_AGG(t, N'-') WITHIN GROUP (ORDER BY id DESC) FROM a", [['z-Q-q']]],
    [
      'SELECT id, ROW_NUMBER() OVER (PARTITION BY g ORDER BY id DESC), COUNT(*) OVER (PARTITION BY g) FROM a ORDER BY id',
      [
        [1, 2, 2],
        [2, 1, 2],
        [3, 1, 1],
        [4, 1, 1],
      ],
    ],
    ['SELECT DISTINCT g FROM a ORDER BY g', [[null], ['x'], ['y']]],
    ['SELECT id FROM a UNION SELECT a FROM b ORDER BY id DESC', [[4], [3], [2], [1], [null]]],
    ['SELECT a FROM b UNION ALL SELECT 1.5 ORDER BY 1', [[null], [10], [10], [15], [30]]],
    ['SELECT id FROM a EXCEPT SELECT a FROM b', [[2], [4]]],
    ["SELECT g FROM a INTERSECT SELECT 'X'", [['x']]],
    ['SELECT TOP (2) WITH TIES id FROM a ORDER BY g', [[4], [1], [2]]],
    ['SELECT id FROM a ORDER BY id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY', [[2], [3]]],
    ['SELECT TOP 0 * FROM a', []],
  ])('%s', async (query, expected) => {
    expect(await table(query)).toEqual(expected);
  });
});

it('values of hierarchyid have their methods', async () => {
  const query =
    "DECLARE @h hierarchyid = '/1/2/'; SELECT @h.ToString(), x.h.ToString() FROM (VALUES (@h)) AS x (h)";
  expect(await table(query)).toEqual([['/1/2/', '/1/2/']]);
  expect(await db.failure('DECLARE @i int; SELECT @i.ToString()')).toBe(258);
});

describe('subqueries and rows made of values', () => {
  it.each<[string, unknown[][]]>([
    ['SELECT id FROM a WHERE id IN (SELECT a FROM b) ORDER BY id', [[1], [3]]],
    ['SELECT id FROM a WHERE id NOT IN (SELECT a FROM b)', []],
    ['SELECT id FROM a WHERE id NOT IN (SELECT a FROM b WHERE a IS NOT NULL) ORDER BY id', [[2], [4]]],
    [
      'SELECT id, (SELECT COUNT(*) FROM b WHERE b.a = a.id) FROM a ORDER BY id',
      [
        [1, 2],
        [2, 0],
        [3, 1],
        [4, 0],
      ],
    ],
    ['SELECT id FROM a WHERE id >= ALL (SELECT id FROM a)', [[4]]],
    [
      "WITH x AS (SELECT id, g FROM a), y (k) AS (SELECT id FROM x WHERE g = 'X') SELECT k FROM y ORDER BY k",
      [[1], [2]],
    ],
    ['SELECT * FROM (SELECT id AS i FROM a WHERE id > 2) AS d (j) ORDER BY j', [[3], [4]]],
    ["SELECT value FROM STRING_SPLIT('a,b', ',')", [['a'], ['b']]],
    [
      'SELECT [key], value, type FROM OPENJSON(\'{"a":1.50,"b":[1],"c":null,"d":"x","e":true,"f":{}}\')',
      [
        ['a', '1.50', 2],
        ['b', '[1]', 4],
        ['c', null, 0],
        ['d', 'x', 1],
        ['e', 'true', 3],
        ['f', '{}', 5],
      ],
    ],
    [
      'SELECT * FROM OPENJSON(\'[["1",null],["2","é"]]\') WITH (a int \'$[0]\', b nvarchar(9) \'$[1]\')',
      [
        [1, null],
        [2, 'é'],
      ],
    ],
    [
      'SELECT * FROM OPENJSON(\'{"x":[{"a":{"b":1}}]}\', \'$.x\') WITH (a nvarchar(max) AS JSON, b int \'$.a.b\')',
      [['{"b":1}', 1]],
    ],
  ])('%s', async (query, expected) => {
    expect(await table(query)).toEqual(expected);
  });

  it.each<[string, number]>([
    ['SELECT (SELECT id FROM a)', 512],
    ['SELECT (SELECT id, g FROM a)', 116],
    ['SELECT nope FROM a', 207],
    ['SELECT id FROM a x JOIN a y ON x.id = y.id', 209],
    ['SELECT z.id FROM a', 4104],
    ['SELECT * FROM nope', 208],
    ['SELECT id, COUNT(*) FROM a', 8120],
    ['SELECT id FROM a WHERE COUNT(*) > 1', 147],
    ['SELECT id FROM a UNION SELECT id, a FROM b', 205],
    ['SELECT @nope', 137],
    ['SELECT id, id INTO #two FROM a', 2705],
    ["SELECT * FROM OPENJSON('[')", 13_609],
  ])('%s fails with %i', async (query, number) => {
    expect(await db.failure(query)).toBe(number);
  });
});
