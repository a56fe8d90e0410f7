import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { TouchedObjects, touchedBy } from '../../../src/store/replica/touched-objects.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';
import { download, openStore, received } from './items.ts';

const items = (from: number, count: number): Instruction[] =>
  Array.from({ length: count }, (_, i) => createItem(from + i));

test('a changeset on the same object is always found', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 200 }), fc.nat(), (ids, pick) => {
      const filter = touchedBy(ids.map(createItem));
      expect(new TouchedObjects([[setItem(ids[pick % ids.length]!, 1)]]).mayMeet(filter)).toBe(true);
    }),
  );
});

test('a changeset on other objects is seldom taken for one on the same', () => {
  const filter = touchedBy(items(0, 10_000));
  const met = items(10_000, 20_000).filter((item) => new TouchedObjects([[item]]).mayMeet(filter));
  expect(met.length).toBeLessThan(100);
});

test('changes of classes and columns concern everything', () => {
  expect(touchedBy([createItem(1), ...SCHEMA])).toBeUndefined();
  expect(new TouchedObjects([SCHEMA]).mayMeet(touchedBy([createItem(1)]))).toBe(true);
  expect(new TouchedObjects([[createItem(1)]]).mayMeet(undefined)).toBe(true);
});

test('a download merges with exactly the changes in the backlog that it conflicts with', () => {
  const store = openStore();
  const replica = store.replica('/a');
  replica.assignIdentity(2, 1n);
  replica.write(SCHEMA);
  store.transaction(() => {
    for (let block = 0; block < 50; block++) replica.write(items(block * 100, 100));
  });
  replica.write([setItem(17, 1), setItem(4_900, 1)], { version: 100, timestamp: 1 });
  replica.integrate(download([received(1, [setItem(17, 2)], { timestamp: 2 })]));
  replica.integrate(download([received(2, [setItem(17, 3), setItem(4_900, 3)], { timestamp: 0 })]));
  const numberOf = (id: number) =>
    replica.object('Item', { type: 'int', value: BigInt(id) })?.fields.get('n');
  // The local write to 17 lost to version 1 and is gone, so nothing keeps the older version 2 from being the last.
  expect(numberOf(17)).toEqual({ type: 'int', value: 3n });
  expect(numberOf(4_900)).toEqual({ type: 'int', value: 1n });
});
