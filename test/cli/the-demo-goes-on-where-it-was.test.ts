import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startDemo } from './demo-process.ts';

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
