import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { freePort } from '../../src/cli/demo/free-port.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

type Demo = { readonly output: () => string; readonly stop: () => Promise<number | null> };

async function startDemo(data: string): Promise<Demo> {
  const ports = ['--port', String(await freePort(0)), '--postgres-port', String(await freePort(0))];
  const child = spawn(process.execPath, [MAIN, 'demo', '--data', data, ...ports]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close');
  try {
    await expect
      .poll(() => output + (child.exitCode ?? ''), { timeout: 60_000 })
      .toContain('Every synced transaction appears below');
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    output: () => output,
    stop: async () => {
      child.kill('SIGINT');
      const [code] = await ended;
      return typeof code === 'number' ? code : null;
    },
  };
}

test('the demo loads Chinook, shows live changes, stops on SIGINT, and loads nothing twice', async () => {
  const data = await mkdtemp(join(tmpdir(), 'isthmus-demo-'));
  try {
    const first = await startDemo(data);
    expect(first.output()).toMatch(/^total +15,607 +15,607 /m);
    const url = /psql (postgres:\S+)/.exec(first.output())?.[1];
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("UPDATE artist SET name = 'AC⚡DC' WHERE artist_id = 1");
    await client.end();
    await expect
      .poll(first.output, { timeout: 30_000 })
      .toMatch(/PostgreSQL → realm \/chinook {2}1 change {2}Artist/);
    expect(await first.stop()).toBe(0);

    const second = await startDemo(data);
    expect(second.output()).toContain('goes on from there');
    expect(second.output()).not.toContain('total');
    expect(await second.stop()).toBe(0);
    expect(second.output()).not.toMatch(/→ realm|→ PostgreSQL/);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}, 180_000);
