/** The whole simulator, used by a client that shares nothing with the driver of the connector. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SqlServerSimulator, startSqlServerSimulator } from './simulator.ts';
import { FreeTds, hasFreeTds, type Target } from './wire/freetds.ts';

describe.skipIf(!hasFreeTds)('FreeTDS on the simulator', () => {
  let simulator: SqlServerSimulator;
  let freeTds: FreeTds;
  let target: Target;

  beforeAll(async () => {
    const certificate = (name: string): Promise<string> =>
      readFile(new URL(`../../support/certificates/${name}`, import.meta.url), 'utf8');
    simulator = await startSqlServerSimulator({
      tls: { cert: await certificate('server.crt'), key: await certificate('server.key') },
    });
    freeTds = await FreeTds.open();
    const { host, port, user, password } = simulator;
    target = { host, port, user, password, database: 'shop', encryption: 'require' };
    await freeTds.tsql({ ...target, database: 'master' }, ['CREATE DATABASE shop']);
  });
  afterAll(async () => {
    await freeTds?.close();
    await simulator?.close();
  });

  it('makes tables, writes, reads, and is told what goes wrong', async () => {
    const { output } = await freeTds.tsql(target, [
      'CREATE TABLE artist (id int NOT NULL PRIMARY KEY, name nvarchar(20) NULL, price decimal(28, 10) NULL)',
      "INSERT artist VALUES (1, N'世 ⚡', 123456789012345678.0123456789)",
      "BEGIN TRANSACTION; INSERT artist VALUES (2, N'never', NULL); ROLLBACK TRANSACTION",
      'SELECT id, name, price FROM artist',
      "INSERT artist VALUES (1, N'again', NULL)",
      'SELECT * FROM nowhere',
      "PRINT N'fertig'",
    ]);
    expect(output).toContain('1\t世 ⚡\t123456789012345678.0123456789');
    expect(output).not.toContain('never');
    expect(output).toContain('Msg 2627');
    expect(output).toContain("Invalid object name 'nowhere'.");
    expect(output).toContain('fertig');
  });

  it('loads rows in bulk', async () => {
    await freeTds.tsql(target, [
      'CREATE TABLE track (id int NOT NULL PRIMARY KEY, name nvarchar(40) NULL, price decimal(10, 2) NULL, made datetime2(3) NULL)',
    ]);
    const rows = Array.from({ length: 500 }, (_, id) => [
      String(id),
      `Stück ${id}`,
      `${id}.25`,
      '2024-02-29 13:14:15.123',
    ]);
    const { output } = await freeTds.load(target, 'track', rows);
    expect(output).toContain('500 rows copied');
    const shown = await freeTds.tsql(target, [
      'SELECT id, name, price, CONVERT(varchar(30), made, 121) FROM track WHERE id = 499',
      'SELECT COUNT(*), SUM(price) FROM track',
    ]);
    expect(shown.output).toContain('499\tStück 499\t499.25\t2024-02-29 13:14:15.123');
    expect(shown.output).toContain('500\t124875.00');
  });
});
