import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PostgresFeedError } from '../../connectors/postgres/errors.ts';
import { MessageFramer } from '../../connectors/postgres/feed/message-framer.ts';
import { PgOutputDecoder } from '../../connectors/postgres/feed/pgoutput-decoder.ts';
import { type FeedEvent, UNCHANGED } from '../../src/connector/dialect.ts';

const seed = Number(process.env.ISTHMUS_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed}: repeat with ISTHMUS_SEED=${seed}`);

const text = (value: string) => Buffer.from(`${value}\0`);
const u8 = (value: number) => Buffer.from([value]);
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const message = (type: string, ...parts: Buffer[]) => Buffer.concat([Buffer.from(type), ...parts]);
const value = (content: string) =>
  Buffer.concat([Buffer.from('t'), u32(Buffer.byteLength(content)), Buffer.from(content)]);
const tuple = (...values: Buffer[]) => Buffer.concat([u16(values.length), ...values]);

const begin = (lsn: bigint) => message('B', u64(lsn), u64(0n), u32(7));
const commit = (lsn: bigint) => message('C', u8(0), u64(lsn), u64(lsn + 8n), u64(86_400_000_000n));
const relation = message(
  'R',
  u32(1),
  text('public'),
  text('t'),
  u8(0x64),
  u16(2),
  u8(1),
  text('id'),
  u32(23),
  u32(0),
  u8(0),
  text('name'),
  u32(25),
  u32(0),
);
const insert = message('I', u32(1), Buffer.from('N'), tuple(value('1'), value('ä')));
const update = message(
  'U',
  u32(1),
  Buffer.from('K'),
  tuple(value('1'), Buffer.from('n')),
  Buffer.from('N'),
  tuple(value('2'), Buffer.from('u')),
);
const remove = message('D', u32(1), Buffer.from('K'), tuple(value('2'), Buffer.from('n')));
const truncate = message('T', u32(1), u8(0), u32(1));
const whole = [begin(100n), relation, insert, update, remove, truncate, commit(100n)];

function decodeAll(messages: readonly Buffer[], after = 0n): FeedEvent[] {
  const decoder = new PgOutputDecoder('me', after);
  const events: FeedEvent[] = [];
  for (const bytes of messages) decoder.decode(bytes, 0, bytes.length, events);
  return events;
}

test('a transaction is decoded with its positions, its time and what was not sent', () => {
  const table = { table: { schema: 'public', name: 't' }, columns: ['id', 'name'] };
  expect(decodeAll(whole)).toEqual([
    { kind: 'begin', transaction: '7', position: '0/64' },
    { kind: 'change', change: { kind: 'insert', table, row: ['1', 'ä'] } },
    { kind: 'change', change: { kind: 'update', table, row: ['2', UNCHANGED], old: ['1', UNCHANGED] } },
    { kind: 'change', change: { kind: 'delete', table, old: ['2', UNCHANGED] } },
    { kind: 'change', change: { kind: 'truncate', tables: [table] } },
    { kind: 'commit', position: '0/6C', committedAt: new Date('2000-01-02T00:00:00Z') },
  ]);
});

test('a transaction that ends at the position held already is left out, the one that begins there is not', () => {
  expect(decodeAll(whole, 108n)).toEqual([]);
  expect(decodeAll(whole, 100n)).toHaveLength(6);
});

test('a damaged message is an error of the feed, never a crash or an endless loop', () => {
  const damage = fc.record({
    at: fc.nat(),
    byte: fc.nat(255),
    cut: fc.nat(),
    message: fc.nat(whole.length - 1),
  });
  fc.assert(
    fc.property(damage, ({ at, byte, cut, message: which }) => {
      const bytes = Buffer.from(whole[which] ?? Buffer.alloc(0));
      bytes[at % bytes.length] = byte;
      const damaged = [...whole];
      damaged[which] = bytes.subarray(0, bytes.length - (cut % 3));
      try {
        decodeAll(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(PostgresFeedError);
      }
    }),
    { seed, numRuns: 5000 },
  );
});

test('any cut of the byte stream yields the same messages', () => {
  const copyData = (payload: Buffer) => Buffer.concat([Buffer.from('d'), u32(payload.length + 4), payload]);
  const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.array(payload, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (payloads, cuts) => {
        const stream = Buffer.concat(payloads.map(copyData));
        const framer = new MessageFramer();
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          framer.push(stream.subarray(at, at + size), (buffer, frame) => {
            if (frame.kind === 'data') got.push(Buffer.from(buffer.subarray(frame.start, frame.end)));
          });
          at += size;
        }
        expect(got).toEqual(payloads);
      },
    ),
    { seed, numRuns: 500 },
  );
});

test('a byte stream that is none is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      try {
        new MessageFramer().push(Buffer.from(bytes), () => {});
      } catch (error) {
        expect(error).toBeInstanceOf(PostgresFeedError);
      }
    }),
    { seed, numRuns: 2000 },
  );
});
