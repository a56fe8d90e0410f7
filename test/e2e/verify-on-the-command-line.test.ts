/** `isthmus verify` as a process, on Chinook: what it prints, and its exit codes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Deployment, IsthmusProcess, untilServing } from '../support/isthmus-processes.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { deployChinook } from './chinook-deployment.ts';

let directory: string;
let postgres: TestPostgres;
let deployment: Deployment;
let database: string;
let server: IsthmusProcess;
let runs = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'isthmus-verify-'));
  postgres = await startTestPostgres();
  ({ deployment, database } = await deployChinook(postgres, directory));
  server = deployment.start('server');
  await untilServing(deployment, server);
  const load = deployment.start('load');
  expect(await load.exited, load.log).toBe(0);
}, 120_000);

afterAll(async () => {
  await server?.kill();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function verify(...flags: string[]): Promise<{ code: number; lines: readonly string[]; text: string }> {
  runs += 1;
  const name = `verify${runs}`;
  const args = ['verify', '--config', deployment.config, '--settle', '0.5', ...flags];
  const code = await new IsthmusProcess(name, directory, args).exited;
  const text = readFileSync(join(directory, `${name}.log`), 'utf8');
  return { code, text, lines: text.split('\n') };
}

test('agreement: exit code 0, and a line of numbers for every table', async () => {
  const { code, text, lines } = await verify();
  expect(code, text).toBe(0);
  expect(text).toContain('Tables and realms agree.');
  const numbers = (table: string) =>
    lines
      .find((line) => line.startsWith(`${table} `))
      ?.split(/ {2,}/)
      .slice(1, 9);
  expect(numbers('public.track')).toEqual(['3,503', '3,503', '3,503', '0', '0', '0', '0', '0']);
  expect(numbers('public.playlist_track')?.slice(0, 3)).toEqual(['8,715', '8,715', '8,715']);
  expect(text).toMatch(/verified public\.track: 3,503 rows/);
}, 60_000);

test('differences: exit code 6, named with class, key, property and both values', async () => {
  await postgres.query(
    database,
    `UPDATE artist SET name = 'AC/DC!' WHERE artist_id = 1; DELETE FROM playlist_track WHERE playlist_id = 1 AND track_id < 30`,
  );
  const { code, text, lines } = await verify('--limit', '2');
  expect(code, text).toBe(6);
  expect(lines).toContain('Artist 1.name: row "AC/DC!", object "AC/DC"');
  expect(
    lines.filter((line) => /^PlaylistTrack 1-\d+: object in \/chinook without row$/.test(line)),
  ).toHaveLength(2);
  expect(text).toMatch(/… and \d+ more of this class/);
  expect(text).toMatch(/isthmus: \d+ differences stand .*--repair realm.*\[differences-found\]/);
}, 60_000);

test('--json: a line for every difference and every class, and nothing else on standard output', async () => {
  const { code, lines } = await verify('--json', '--only', 'Artist,PlaylistTrack');
  expect(code).toBe(6);
  const parsed = lines
    .filter((line) => line.startsWith('{'))
    .map((line): { type: string } => JSON.parse(line));
  const { count } =
    (await postgres.query(database, 'SELECT 8715 - count(*) AS count FROM playlist_track'))[0] ?? {};
  expect(parsed.filter(({ type }) => type === 'difference')).toHaveLength(1 + Number(count));
  expect(parsed).toContainEqual({
    type: 'difference',
    kind: 'different',
    state: 'standing',
    className: 'Artist',
    table: 'public.artist',
    key: '1',
    realmPath: '/chinook',
    properties: [{ property: 'name', sql: 'AC/DC!', realm: 'AC/DC' }],
  });
  expect(parsed.filter(({ type }) => type === 'class')).toHaveLength(2);
  expect(parsed.at(-1)).toMatchObject({
    type: 'summary',
    standing: 1 + Number(count),
    explained: 0,
    changing: 0,
  });
}, 60_000);

test('--dry-run says what would be done and does nothing', async () => {
  const { code, text } = await verify('--repair', 'realm', '--dry-run');
  expect(code).toBe(6);
  expect(text).toMatch(/Would repair: 1 objects changed, \d+ objects deleted. Nothing was changed./);
  expect((await verify()).code).toBe(6);
}, 60_000);

test('without a terminal nothing is repaired unless --yes is given', async () => {
  const { code, text } = await verify('--repair', 'realm');
  expect(code).toBe(2);
  expect(text).toContain('there is no terminal to ask whether you are sure: give --yes, or --dry-run');
}, 60_000);

test.each([
  [['--repair', 'both'], 2, 'Allowed choices are realm, sql'],
  [['--settle', 'long'], 2, 'expected seconds from 0 to 3600'],
  [['--yes'], 2, 'give --repair realm or --repair sql'],
  [['--only', 'Artists'], 3, 'there is no class Artists to be verified'],
] as const)(
  '%j is refused with exit code %i',
  async (flags, code, message) => {
    const ended = await verify(...flags);
    expect(ended.code, ended.text).toBe(code);
    expect(ended.text).toContain(message);
  },
  60_000,
);

test('--repair with --yes leaves nothing to be repaired', async () => {
  const { code, text } = await verify('--repair', 'realm', '--yes');
  expect(code, text).toBe(0);
  expect(text).toMatch(/\d+ repaired, 0 not\./);
  expect((await verify()).code).toBe(0);
}, 60_000);
