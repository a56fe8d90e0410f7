import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChangeset, encodeChangeset } from '../../../src/changeset/codec.ts';
import { MemoryReader, openMemoryRealm } from './memory-realm.ts';

const schema = [
  {
    name: 'Box',
    primaryKey: '_id',
    properties: { _id: 'int', list: 'int[]', parts: 'Part[]', map: 'mixed{}', any: 'mixed' },
  },
  { name: 'Part', embedded: true, properties: { n: 'int', inner: 'string[]' } },
];

type Box = {
  list: number[];
  parts: { n: number; inner: string[] }[];
  map: Record<string, unknown>;
  any: unknown;
};

/** What a peer holds that gets the writes over the wire. */
function peerOf(reader: MemoryReader): MemoryReader {
  const peer = new MemoryReader();
  for (const instructions of reader.written) {
    peer.write(decodeChangeset(encodeChangeset(instructions, reader.schema)).instructions);
  }
  return peer;
}

type ListLike<T> = Pick<T[], 'push' | 'pop' | 'shift' | 'unshift' | 'splice'> & {
  length: number;
  [index: number]: T;
};
type Step<T> = (list: ListLike<T>) => unknown;

/** The same random step for an array and for a live list. */
function steps<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Step<T>> {
  const positions = fc.integer({ min: -6, max: 8 });
  return fc.oneof(
    fc.array(value, { maxLength: 3 }).map(
      (items): Step<T> =>
        (list) =>
          list.push(...items),
    ),
    fc.array(value, { maxLength: 3 }).map(
      (items): Step<T> =>
        (list) =>
          list.unshift(...items),
    ),
    fc.constant<Step<T>>((list) => list.pop()),
    fc.constant<Step<T>>((list) => list.shift()),
    fc.tuple(positions, fc.integer({ min: -1, max: 4 }), fc.array(value, { maxLength: 3 })).map(
      ([at, count, items]): Step<T> =>
        (list) =>
          list.splice(at, count, ...items),
    ),
    fc.tuple(fc.nat(8), value).map(
      ([at, item]): Step<T> =>
        (list) => {
          if (at < list.length) list[at] = item;
        },
    ),
  );
}

test('a list of values does what an array does, and a peer sees the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(steps(fc.integer()), { maxLength: 6 }), { maxLength: 5 }),
      (transactions) => {
        const { realm, reader } = openMemoryRealm(schema);
        const model: number[] = [];
        const box = realm.write(() => realm.create<Box>('Box', { _id: 1 }));
        for (const transaction of transactions) {
          realm.write(() => {
            for (const step of transaction) expect(step(box.list)).toEqual(step(model));
          });
          expect([...box.list]).toEqual(model);
        }
        expect([...peerOf(reader).objects('Box')]).toEqual([...reader.objects('Box')]);
      },
    ),
  );
});

test('a list of embedded objects holds what was put into it', () => {
  const part = fc.record({
    n: fc.integer(),
    inner: fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }),
  });
  const shown = (list: ListLike<Box['parts'][number]>): unknown => JSON.parse(JSON.stringify(list));
  fc.assert(
    fc.property(fc.array(steps(part), { maxLength: 12 }), (transaction) => {
      const { realm, reader } = openMemoryRealm(schema);
      const model: Box['parts'] = [];
      realm.write(() => {
        const box = realm.create<Box>('Box', { _id: 1 });
        for (const step of transaction) {
          step(box.parts);
          step(model);
          expect(shown(box.parts)).toEqual(shown(model));
        }
      });
      expect([...peerOf(reader).objects('Box')]).toEqual([...reader.objects('Box')]);
    }),
  );
});

test('nested lists and dictionaries in mixed values come back as they were assigned', () => {
  const { tree } = fc.letrec<{ tree: unknown; leaf: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), tie('tree'), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    ),
    leaf: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
    ),
  }));
  const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(
    fc.property(tree, tree, (first, second) => {
      const { realm, reader } = openMemoryRealm(schema);
      const box = realm.write(() => realm.create<Box>('Box', { _id: 1, any: first, map: { a: second } }));
      expect(normal(box.any)).toEqual(normal(first));
      expect(normal(box.map)).toEqual(normal({ a: second }));
      realm.write(() => {
        box.any = second;
        box.map.a = first;
      });
      expect(normal(box.any)).toEqual(normal(second));
      expect(normal(box.map)).toEqual(normal({ a: first }));
      expect([...peerOf(reader).objects('Box')]).toEqual([...reader.objects('Box')]);
    }),
  );
});
