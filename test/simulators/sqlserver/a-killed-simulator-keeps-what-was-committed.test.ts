/** The simulator as a process, as the demo starts it: what it says, and what a SIGKILL leaves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestConnection } from '../../support/sqlserver-connection.ts';

const PROGRAM = fileURLToPath(new URL('./program.ts', import.meta.url));

type Ready = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly url: string;
};
type Running = { readonly child: ChildProcess; readonly ready: Ready };

let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-simulator-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

async function start(port = 0): Promise<Running> {
  const child = spawn(process.execPath, [PROGRAM, '--directory', directory, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, ready: JSON.parse(String(line)) };
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}

const connect = ({ host, port, user, password }: Ready, database: string): Promise<TestConnection> =>
  TestConnection.open({
    server: host,
    authentication: { type: 'default', options: { userName: user, password } },
    options: { port, database, encrypt: false },
  });

it('finds tables, rows and changes again after SIGKILL, and nothing that was not committed', async () => {
  const first = await start();
  expect(first.ready.url).toBe(
    `sqlserver://${first.ready.user}:${first.ready.password}@${first.ready.host}:${first.ready.port}/master?encrypt=false&trustServerCertificate=true`,
  );
  const master = await connect(first.ready, 'master');
  await master.query('CREATE DATABASE [shop]');
  await master.query('ALTER DATABASE [shop] SET CHANGE_TRACKING = ON');
  await master.close();
  const shop = await connect(first.ready, 'shop');
  await shop.query(
    'CREATE TABLE [artist] ([id] int IDENTITY(1, 1) NOT NULL PRIMARY KEY, [name] nvarchar(50) NULL)',
  );
  await shop.query('ALTER TABLE [artist] ENABLE CHANGE_TRACKING');
  await shop.query("INSERT INTO [artist] ([name]) VALUES (N'Björk'), (N'😀')");
  await shop.query("BEGIN TRANSACTION; INSERT INTO [artist] ([name]) VALUES (N'never')");
  await end(first.child, 'SIGKILL');

  const second = await start(first.ready.port);
  expect(second.ready).toEqual(first.ready);
  const again = await connect(second.ready, 'shop');
  expect(await again.query('SELECT [id], [name] FROM [artist] ORDER BY [id]')).toEqual([
    { id: '1', name: 'Björk' },
    { id: '2', name: '😀' },
  ]);
  expect(
    await again.query(
      'SELECT [id], [SYS_CHANGE_OPERATION] FROM CHANGETABLE(CHANGES [artist], 0) AS c ORDER BY [id]',
    ),
  ).toEqual([
    { id: '1', SYS_CHANGE_OPERATION: 'I' },
    { id: '2', SYS_CHANGE_OPERATION: 'I' },
  ]);
  await again.query("INSERT INTO [artist] ([name]) VALUES (N'after')");
  const [row] = await again.query(
    'SELECT CHANGE_TRACKING_CURRENT_VERSION() AS [version], COUNT(*) AS [rows] FROM [artist]',
  );
  expect(row).toEqual({ version: '2', rows: '3' });
  await again.close();
});

it('ends when asked to, and keeps everything', async () => {
  const first = await start();
  const master = await connect(first.ready, 'master');
  await master.query('CREATE DATABASE [kept]');
  await master.close();
  expect(await end(first.child, 'SIGTERM')).toBe(0);
  const second = await start();
  await (await connect(second.ready, 'kept')).close();
  expect(await end(second.child, 'SIGTERM')).toBe(0);
});
