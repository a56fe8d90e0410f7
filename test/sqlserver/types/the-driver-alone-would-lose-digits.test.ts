import { Connection, Request } from 'tedious';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TypeBench } from './type-bench.ts';

/** What a value is as the driver gives the column itself, and what arrives through the connector. */
const CASES = [
  ['decimal(38,10)', '1234567890123456789012345678.0123456789', '1234567890123456789012345678.0123456789'],
  ['decimal(28,4)', '12345678901234567.8901', '12345678901234567.8901'],
  ['money', '922337203685477.5807', '922337203685477.5807'],
  ['smallmoney', '-214748.3648', '-214748.3648'],
  ['bigint', '9223372036854775807', '9223372036854775807'],
  ['datetime2(7)', '2024-02-29 12:00:00.1234567', '2024-02-29 12:00:00.1234567'],
  ['time(7)', '23:59:59.9999999', '23:59:59.9999999'],
  ['datetimeoffset(7)', '2024-02-29 12:00:00.1234567 +05:30', '2024-02-29 12:00:00.1234567 +05:30'],
] as const;

const BIG_TEXT = `${'0123456789abcdef€😀'.repeat(100_000)}.`;

let bench: TypeBench;

beforeAll(async () => {
  bench = await TypeBench.open();
  await bench.makeTables(CASES.map(([type], index) => ({ name: `of_${index}`, type })));
  await bench.makeTables([
    { name: 'texts', type: 'nvarchar(max)' },
    { name: 'bytes', type: 'varbinary(max)' },
    { name: 'offsets', type: 'datetimeoffset(3)' },
  ]);
}, 60_000);

afterAll(() => bench.close());

test.each(CASES.map(([type, given, text], index) => ({ type, given, text, index })))(
  '$type $given',
  async ({ text, index }) => {
    const table = await bench.table(`of_${index}`);
    await bench.write(table, [[1, text]]);
    expect(await bench.read(table)).toEqual([text]);
  },
);

test('the driver itself makes numbers and dates of them', async () => {
  const shown = await Promise.all(
    CASES.map(async ([type, given], index) => {
      await bench.write(await bench.table(`of_${index}`), [[1, given]]);
      const value = await rawValue(`SELECT [c] FROM [of_${index}]`);
      return [type, value instanceof Date ? value.toISOString() : value];
    }),
  );
  // Should a later version of the driver keep all digits, the texts might do without conversions.
  expect(Object.fromEntries(shown)).toMatchObject({
    'decimal(28,4)': 12345678901234568,
    money: 922337203685477.6,
    bigint: '9223372036854775807',
    'datetimeoffset(7)': '2024-02-29T06:30:00.123Z',
  });
});

test('texts and bytes of any length', async () => {
  const texts = await bench.table('texts');
  await bench.write(texts, [[1, BIG_TEXT]]);
  expect((await bench.read(texts))[0] === BIG_TEXT).toBe(true);
  const bytes = await bench.table('bytes');
  const hex = `0x${Buffer.from(BIG_TEXT).toString('hex').toUpperCase()}`;
  await bench.write(bytes, [[1, hex]]);
  expect((await bench.read(bytes))[0] === hex).toBe(true);
});

test('a row keeps its offset as long as the instant is the same', async () => {
  const table = await bench.table('offsets');
  await bench.write(table, [
    [1, '2024-02-29 12:00:00.500 +02:00'],
    [2, '2024-02-29 12:00:00.500 +02:00'],
    [3, '2024-02-29 12:00:00.500 +02:00'],
  ]);
  await bench.update(table, [
    [1, '2024-02-29T10:00:00.500Z'],
    [2, '2024-02-29T10:00:00.501Z'],
    [3, '2024-02-29 10:00:00.500 +00:00'],
  ]);
  expect(await bench.read(table)).toEqual([
    '2024-02-29 12:00:00.500 +02:00',
    '2024-02-29 10:00:00.501 +00:00',
    '2024-02-29 10:00:00.500 +00:00',
  ]);
});

/** The first value as the driver has it. */
async function rawValue(text: string): Promise<unknown> {
  const connection = new Connection(bench.server.driverConfig(bench.database));
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  connection.on('error', reject);
  connection.connect((failure) => {
    if (failure) {
      reject(failure);
      return;
    }
    let value: unknown;
    const request = new Request(text, (error) => (error ? reject(error) : resolve(value)));
    request.on('row', (columns: { value: unknown }[]) => {
      value = columns[0]?.value;
    });
    connection.execSql(request);
  });
  try {
    return await promise;
  } finally {
    const ended = new Promise((end) => connection.once('end', end));
    connection.close();
    await ended;
  }
}
