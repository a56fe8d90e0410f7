import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TestConnection } from '../support/sqlserver-connection.ts';
import { startDemo } from './demo-process.ts';

/** What the demo shows of its database. */
function addressIn(output: string): {
  readonly server: string;
  readonly port: number;
  readonly userName: string;
  readonly password: string;
} {
  const shown = /tsql -H (\S+) -p (\d+) -U (\S+) -P (\S+)/.exec(output);
  const [, server = '', port = '', userName = '', password = ''] = shown ?? [];
  return { server, port: Number(port), userName, password };
}

async function change(output: string, statement: string): Promise<void> {
  const { server, port, userName, password } = addressIn(output);
  const connection = await TestConnection.open({
    server,
    authentication: { type: 'default', options: { userName, password } },
    options: { port, encrypt: false, database: 'Chinook' },
  });
  try {
    await connection.query(statement);
  } finally {
    await connection.close();
  }
}

test('the demo says that it runs on a simulator, loads Chinook, shows changes, and goes on with what it kept', async () => {
  const data = await mkdtemp(join(tmpdir(), 'isthmus-demo-'));
  const demo = (): ReturnType<typeof startDemo> => startDemo(data, '--database', 'sqlserver');
  try {
    const first = await demo();
    expect(first.output()).toMatch(/SIMULATOR.* is no SQL Server/);
    expect(first.output()).toMatch(/^total +15,607 +15,607 /m);
    await change(first.output(), "UPDATE Artist SET Name = N'AC⚡DC' WHERE ArtistId = 1");
    await expect
      .poll(first.output, { timeout: 30_000 })
      .toMatch(/SQL Server → realm \/chinook {2}1 change {2}Artist/);
    expect(await first.stop()).toBe(0);
    expect(existsSync(join(data, 'postgres'))).toBe(false);

    const second = await demo();
    expect(second.output()).toContain('goes on from there');
    expect(second.output()).not.toContain('total');
    await change(second.output(), "DELETE FROM Artist WHERE Name = N'nobody'");
    expect(await second.stop()).toBe(0);
    expect(second.output()).not.toMatch(/→ realm|→ SQL Server/);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}, 180_000);

test('a directory with the demo of another database is refused with the remedy', async () => {
  const data = await mkdtemp(join(tmpdir(), 'isthmus-demo-'));
  try {
    const { DemoDirectory } = await import('../../src/cli/demo/demo-directory.ts');
    DemoDirectory.open(data, 'sqlserver');
    expect(() => DemoDirectory.open(data, 'postgres')).toThrow(/holds the demo on sqlserver.*--reset/);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
});
