import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DemoDirectory } from '../../src/cli/demo/demo-directory.ts';
import { fillChinook } from '../../src/cli/demo/postgres-chinook.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.ts';

let directory: string;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-demo-'));
  postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
});
afterAll(async () => {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

async function rowsPerTable(): Promise<Record<string, number>> {
  const { host, port, user, password } = postgres;
  const client = new pg.Client({ host, port, user, password, database: 'chinook' });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; rows: number }>(`
      SELECT relname AS name, (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]::text::int AS rows
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`);
    return Object.fromEntries(rows.map(({ name, rows: count }) => [name, count]));
  } finally {
    await client.end();
  }
}

test('every table of Chinook is there with every row, and a second start changes nothing', async () => {
  expect(await fillChinook(postgres)).toBe(true);
  const filled = await rowsPerTable();
  expect(filled).toEqual({
    album: 347,
    artist: 275,
    customer: 59,
    employee: 8,
    genre: 25,
    invoice: 412,
    invoice_line: 2240,
    media_type: 5,
    playlist: 18,
    playlist_track: 8715,
    track: 3503,
  });
  expect(await fillChinook(postgres)).toBe(false);
  expect(await rowsPerTable()).toEqual(filled);
});

test('what the demo knows survives, and a reset forgets it without touching other files', async () => {
  const path = join(directory, 'kept');
  const first = DemoDirectory.open(path);
  expect(first.state.loaded).toBe(false);
  first.markLoaded();
  await writeFile(join(path, 'notes.txt'), 'mine');
  await writeFile(join(path, 'server'), '');
  expect(DemoDirectory.open(path).state).toEqual({ ...first.state, loaded: true });
  await DemoDirectory.reset(path);
  expect(existsSync(join(path, 'server'))).toBe(false);
  expect(existsSync(join(path, 'notes.txt'))).toBe(true);
  expect(DemoDirectory.open(path).state).toMatchObject({ loaded: false });
});

test('a directory that no demo made is not reset', async () => {
  const path = join(directory, 'foreign');
  DemoDirectory.open(path);
  await rm(join(path, 'demo.json'));
  await writeFile(join(path, 'server'), '');
  await DemoDirectory.reset(path);
  expect(existsSync(join(path, 'server'))).toBe(true);
});
