import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCatalog } from '../../connectors/postgres/catalog.ts';
import { Session } from '../../connectors/postgres/session.ts';
import { type CopyRow, CopyTextParser } from '../../connectors/postgres/snapshot/copy-text.ts';
import { PostgresSnapshotReader } from '../../connectors/postgres/snapshot/snapshot-reader.ts';
import { SnapshotVisibility } from '../../connectors/postgres/snapshot/visibility.ts';
import { textArray } from '../../connectors/postgres/sql-text.ts';
import type { TableInfo } from '../../src/connector/dialect.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { testSeed } from '../support/random.ts';
import { contextFor } from './session-context.ts';

let server: TestPostgres;
let database: string;

beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  database = await server.createDatabase();
});

async function tableNamed(name: string): Promise<TableInfo> {
  const session = await Session.open(contextFor(server, database));
  try {
    const found = (await readCatalog(session, 'public', new Map())).get(`public.${name}`);
    if (found === undefined) throw new Error(`no table ${name}`);
    return found;
  } finally {
    await session.close();
  }
}

async function openReader(): Promise<PostgresSnapshotReader> {
  return PostgresSnapshotReader.open(await Session.open(contextFor(server, database)));
}

async function all(rows: AsyncIterable<readonly CopyRow[]>): Promise<CopyRow[]> {
  const result: CopyRow[] = [];
  for await (const batch of rows) result.push(...batch);
  return result;
}

describe('the snapshot reader', () => {
  it('returns every text as it was stored, whatever characters it has', async () => {
    await server.query(database, 'CREATE TABLE texts (id int PRIMARY KEY, a text, b text)');
    const table = await tableNamed('texts');
    // Every character but NUL and halves of surrogate pairs, with those that COPY escapes often.
    const text = fc.option(
      fc.string({
        unit: fc.oneof(
          fc.constantFrom('\\', '\t', '\n', '\r', '\b', '\f', '\v', 'N', '.', '\\N', '"', '{'),
          fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }).filter((unit) => unit !== '\0'),
        ),
        maxLength: 40,
      }),
    );
    const session = await Session.open(contextFor(server, database));
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 60 }), async (pairs) => {
          await session.query('DELETE FROM texts');
          await session.query(
            'INSERT INTO texts SELECT place, a, b FROM unnest($1::text[], $2::text[]) WITH ORDINALITY v (a, b, place)',
            [textArray(pairs.map(([a]) => a)), textArray(pairs.map(([, b]) => b))],
          );
          const reader = await openReader();
          try {
            expect(await all(reader.rows(table, ['id', 'b', 'a'], undefined))).toEqual(
              pairs.map(([a, b], index) => [String(index + 1), b, a]),
            );
          } finally {
            await reader.close();
          }
        }),
        { seed: testSeed(), numRuns: 40 },
      );
    } finally {
      await session.close();
    }
  });

  it('parses the same rows wherever the bytes are cut', () => {
    const bytes = Buffer.from('1\té✓😀\\\\n\n2\t\\N\n3\ta\\tb\\nc\n');
    const expected = [
      ['1', 'é✓😀\\n'],
      ['2', null],
      ['3', 'a\tb\nc'],
    ];
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const parser = new CopyTextParser();
        const rows: CopyRow[] = [];
        for (const part of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)])
          parser.push(part, rows);
        expect(rows).toEqual(expected);
        expect(parser.incomplete).toBe(false);
      }
    }
  });

  it('goes on after any key, in the order of the key', async () => {
    await server.query(
      database,
      `CREATE TABLE pair (a text, b int, note text, PRIMARY KEY (a, b));
       INSERT INTO pair SELECT chr(97 + i % 26) || '''' || i % 3, i, 'n' || i FROM generate_series(1, 500) i`,
    );
    const table = await tableNamed('pair');
    const reader = await openReader();
    try {
      const whole = await all(reader.rows(table, ['b', 'a', 'note'], undefined));
      expect(whole).toHaveLength(500);
      for (const index of [0, 1, 250, 498, 499]) {
        const [b, a] = whole[index] ?? [];
        expect(await all(reader.rows(table, ['b', 'a', 'note'], [b ?? '', a ?? '']))).toEqual(
          whole.slice(index + 1),
        );
      }
    } finally {
      await reader.close();
    }
  });

  it('hands large tables over in batches and sees none of what is committed meanwhile', async () => {
    await server.query(
      database,
      `CREATE TABLE big (id int PRIMARY KEY, note text);
       INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 30000) i; ANALYZE big`,
    );
    const table = await tableNamed('big');
    const reader = await openReader();
    try {
      expect(await reader.estimate(table)).toBeGreaterThan(25_000);
      await server.query(database, 'DELETE FROM big WHERE id > 100');
      let batches = 0;
      let rows = 0;
      for await (const batch of reader.rows(table, ['id', 'note'], undefined)) {
        batches += 1;
        rows += batch.length;
      }
      expect(rows).toBe(30_000);
      expect(batches).toBeGreaterThan(3);
    } finally {
      await reader.close();
    }
  });

  it('can be closed in the midst of a table', async () => {
    await server.query(
      database,
      'CREATE TABLE big (id int PRIMARY KEY); INSERT INTO big SELECT * FROM generate_series(1, 400000)',
    );
    const table = await tableNamed('big');
    const reader = await openReader();
    for await (const batch of reader.rows(table, ['id'], undefined)) {
      expect(batch[0]).toEqual(['1']);
      break;
    }
    await reader.close();
  });

  it('knows which transactions it shows', async () => {
    await server.query(database, 'CREATE TABLE one (id int PRIMARY KEY)');
    const open = await Session.open(contextFor(server, database));
    try {
      const xid = async (session: Session): Promise<string> => {
        const [row] = await session.query('SELECT (txid_current() & 4294967295)::text');
        return row?.[0] ?? '';
      };
      const before = await xid(open);
      await open.script('BEGIN');
      const during = await xid(open);
      const reader = await openReader();
      await open.script('COMMIT');
      const after = await xid(open);
      expect([before, during, after].map((id) => reader.includes(id))).toEqual([true, false, false]);
      const again = new SnapshotVisibility(reader.visibility);
      expect([before, during, after].map((id) => again.includes(id))).toEqual([true, false, false]);
      await reader.close();
    } finally {
      await open.close();
    }
  });

  it('tells transactions apart across the wrap of 32-bit numbers', () => {
    const wrapped = 5n << 32n;
    const visibility = new SnapshotVisibility(
      `${wrapped - 10n}:${wrapped + 10n}:${wrapped - 3n},${wrapped + 4n}`,
    );
    const low = (id: bigint): string => String(BigInt.asUintN(32, id));
    expect(visibility.includes(low(wrapped - 11n))).toBe(true);
    expect(visibility.includes(low(wrapped - 3n))).toBe(false);
    expect(visibility.includes(low(wrapped - 2n))).toBe(true);
    expect(visibility.includes(low(wrapped + 3n))).toBe(true);
    expect(visibility.includes(low(wrapped + 4n))).toBe(false);
    expect(visibility.includes(low(wrapped + 10n))).toBe(false);
  });

  it('calls a lost connection transient', async () => {
    await server.query(
      database,
      'CREATE TABLE big (id int PRIMARY KEY); INSERT INTO big SELECT * FROM generate_series(1, 400000)',
    );
    const table = await tableNamed('big');
    const reader = await openReader();
    const reading = (async () => {
      for await (const _ of reader.rows(table, ['id'], undefined)) {
        await server.query(
          database,
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        );
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'postgres-query', errorClass: 'transient' });
    await reader.close();
  });
});
