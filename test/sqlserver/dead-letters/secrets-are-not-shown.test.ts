/** `secretProperties`: their values are in no log, no error and no dead letter, and are synced all the same. */
import { expect, test } from 'vitest';
import { create, failure, int, set, text, until, untilObjects } from '../../e2e/bad-input.ts';
import { DeadLetterCommand } from '../../postgres/dead-letters/deadletter-command.ts';
import { benchSuite } from '../bench.ts';

const bench = benchSuite();

const TABLE = `CREATE TABLE item (id int NOT NULL PRIMARY KEY, name nvarchar(max) NOT NULL, code varchar(12) NULL,
    pin int NULL, CONSTRAINT no_bad CHECK (name <> 'bad'));
  CREATE UNIQUE INDEX one_code ON item (code) WHERE code IS NOT NULL`;
const schema = [
  {
    name: 'item',
    primaryKey: 'id',
    properties: { id: 'int', name: 'string', code: 'string?', pin: 'string?' },
  },
];
const options = { schema, secretProperties: ['item.code', 'item.pin'], printCommandsToConsole: true };

test('neither when a transaction is refused nor when it is printed, and a retry still has them', async () => {
  const place = await bench().place(TABLE);
  const lines: string[] = [];
  const line = (message: string, fields?: unknown): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { error: line, warn: line, info: line, verbose: line, debug: line };
  const adapter = await place.started({ ...options, logger });
  const device = await place.device();
  await until(() => device.replica.schema.has('item'));
  device.replica.write(create(int(1), { name: text('good'), code: text('hush-one') }));
  await until(async () => (await place.sql('SELECT id FROM item')).length === 1);
  expect(lines.join('\n')).toContain('INSERT INTO [dbo].[item]');
  expect(lines.join('\n')).toContain('good');
  // A rule, a key that exists, a text too long, and one that is no number.
  device.replica.write(create(int(2), { name: text('bad'), code: text('hush-two') }));
  device.replica.write(create(int(3), { name: text('double'), code: text('hush-one') }));
  device.replica.write(create(int(4), { name: text('long'), code: text('hush-much-too-long') }));
  device.replica.write(create(int(5), { name: text('typed'), pin: text('hush-pin') }));
  await until(async () => (await place.sql('SELECT id FROM isthmus.dead_letter')).length === 4);
  await until(() => lines.filter((entry) => entry.startsWith('Put transaction')).length === 4);

  const command = new DeadLetterCommand(place, options);
  const listed = await command.list();
  const shown = await Promise.all(listed.map(({ id }) => command.show(id)));
  const columns = await place.sql(
    "SELECT name FROM sys.columns WHERE object_id = OBJECT_ID('isthmus.dead_letter')",
  );
  const stored = await place.sql(
    `SELECT ${columns.map(({ name }) => `[${name}]`).join(', ')} FROM isthmus.dead_letter`,
  );
  for (const said of [JSON.stringify(stored), JSON.stringify(shown), lines.join('\n')]) {
    expect(said).not.toContain('hush');
    expect(said).toContain('[secret]');
  }
  expect(shown[0]?.payload).toMatchObject([{ values: { name: { value: 'bad' }, code: { type: 'secret' } } }]);
  await place.sql('ALTER TABLE item DROP CONSTRAINT no_bad');
  await command.retry([listed[0]!.id]);
  await until(async () => (await place.sql("SELECT id FROM item WHERE code = 'hush-two'")).length === 1);
  await adapter.close();
});

test('a connector that stops does not tell them', async () => {
  const place = await bench().place(TABLE);
  const { adapter, device } = await place.synced({ ...options, ignoreSQLerrors: false });
  device.replica.write(create(int(1), { name: text('bad'), code: text('hush') }));
  const error = await failure(adapter.done);
  expect(error.message).toContain('at item 1');
  expect(JSON.stringify([error.message, String(error.cause)])).not.toContain('hush');
  expect(place.log.join('\n')).not.toContain('hush');
});

test('a row of the database whose secret does not fit is named without it', async () => {
  const place = await bench().place(TABLE.replace('pin int', 'pin nvarchar(20)'));
  const numbers = [{ ...schema[0]!, properties: { ...schema[0]!.properties, pin: 'int?' } }];
  const { device } = await place.synced({ ...options, schema: numbers });
  await place.sql("INSERT INTO item VALUES (1, 'a', NULL, 'hush'), (2, 'b', NULL, '7')");
  await untilObjects(device, [{ id: '2', name: 'b', code: null, pin: '7' }]);
  await place.untilLogged(/Left a row.*item\.pin, which is secret/);
  expect(place.log.join('\n')).not.toContain('hush');
});

test('changes go on as ever', async () => {
  const place = await bench().place(TABLE);
  const { device } = await place.synced({ schema, secretProperties: ['item.code'] });
  device.replica.write(create(int(1), { name: text('a'), code: text('hush') }));
  await until(async () => (await place.sql('SELECT id FROM item')).length === 1);
  device.replica.write(set(int(1), { code: text('new') }));
  await until(async () => (await place.sql("SELECT id FROM item WHERE code = 'new'")).length === 1);
  await place.sql("UPDATE item SET code = 'sql'");
  await untilObjects(device, [{ id: '1', name: 'a', code: 'sql', pin: null }]);
});
