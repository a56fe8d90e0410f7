/** `isthmus deadletter`: the command as it is run, beside an adapter that runs and after it has stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Bench, create, int, type Place, text, until } from '../e2e/bad-input.ts';

const ROOT = join(import.meta.dirname, '../..');

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.closePlaces());
afterAll(() => bench.stop());

type Ended = { readonly code: unknown; readonly stdout: string; readonly stderr: string };

async function deadletter(place: Place, ...args: string[]): Promise<Ended> {
  const config = join(place.directory, 'cli.json');
  writeFileSync(config, JSON.stringify({ connector: place.options() }));
  const child = spawn(process.execPath, [join(ROOT, 'bin/isthmus.js'), 'deadletter', ...args, '-c', config]);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}

test('from the first look to the last, with exit codes', async () => {
  const place = await bench.place();
  const { adapter, device } = await place.synced();
  expect(await deadletter(place, 'list')).toMatchObject({ code: 0, stdout: 'No dead letter waits.\n' });
  device.replica.write(create(int(1), { name: text('much too long') }));
  device.replica.write(create(int(2), { name: text('ok'), amount: int(-1) }));
  await until(async () => (await place.sql('SELECT * FROM isthmus.dead_letter')).length === 2);

  const list = await deadletter(place, 'list');
  const [first, second, end] = list.stdout.split('\n');
  expect(first).toMatch(
    /^1 {2}\S+Z {2}waiting {2}transaction \d+ of realm \/place\d+ {2}item 1 {2}.*varying\(10\)/,
  );
  expect(second).toMatch(/^2 .*item 2 .*item_amount_check/);
  expect(end).toBe('');
  const show = await deadletter(place, 'show', '2');
  expect(show.stdout).toMatch(/^Dead letter 2\nstate {6}waiting since/);
  for (const part of ['error code 23514', 'table      item', 'constraint item_amount_check', 'INSERT INTO']) {
    expect(show.stdout).toContain(part);
  }
  expect(await deadletter(place, 'show', '99')).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/no dead letter 99.*\[dead-letter\]/),
  });
  expect(await deadletter(place, 'retry')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--all'),
  });

  await place.sql('ALTER TABLE item ALTER name TYPE text');
  const retried = await deadletter(place, 'retry', '--all');
  expect(retried.code).toBe(3);
  expect(retried.stdout).toMatch(/^1 {2}retried {2}applied\n2 {2}waiting {2}.*item_amount_check/);
  expect(retried.stderr).toContain('1 of 2 dead letters are still refused');

  await adapter.close();
  await place.sql('ALTER TABLE item DROP CONSTRAINT item_amount_check');
  expect(await deadletter(place, 'retry', '2')).toMatchObject({
    code: 0,
    stdout: '2  retried  applied\n',
  });
  await place.untilRows([
    { id: '1', name: 'much too long', amount: null },
    { id: '2', name: 'ok', amount: '-1' },
  ]);
  expect(await deadletter(place, 'discard', '--all', '--purge', '--json')).toMatchObject({
    code: 0,
    stdout: `${JSON.stringify(['1', '2'].map((id) => ({ id, state: 'removed', outcome: 'removed' })))}\n`,
  });
});
