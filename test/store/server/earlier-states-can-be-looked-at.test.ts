/** Random histories of a realm of flexible sync, looked back at from its head, against full copies of every state. */
import { expect, onTestFinished, test } from 'vitest';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import { keyToken } from '../../../src/schema/value.ts';
import type { ServerRealm, ServerStore } from '../../../src/store/server/contract.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import type { RealmSnapshot } from '../../../src/store/server/snapshot-contract.ts';
import { indexToken } from '../../../src/store/state/index-token.ts';
import { Random, testSeed } from '../../support/random.ts';
import { createItem, entry, SCHEMA, setItem, upload } from './changes.ts';
import { type Copy, copyOf, holders, INDEXABLE, RandomRealm, REALM_SCHEMA, TABLES } from './random-realm.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A history under way: the realm, its model, and what every version looked like. */
class History {
  readonly copies: Copy[];
  readonly entries: (readonly Instruction[])[] = [];
  readonly model: RandomRealm;
  readonly #random: Random;
  #store: ServerStore;
  realm: ServerRealm;
  #client = 0;
  #clientVersion = 2;

  private constructor(random: Random, store: ServerStore, realm: ServerRealm) {
    this.#random = random;
    this.model = new RandomRealm(random);
    this.#store = store;
    this.realm = realm;
    this.copies = [this.model.copy(), this.model.copy()];
    this.entries.push([], REALM_SCHEMA);
  }

  static async begin(random: Random, directory: string): Promise<History> {
    const store = await openServerStore(directory);
    const history = new History(random, store, await store.realm('/'));
    const { realm } = history;
    history.#client = (await realm.allocateClientFile()).fileIdent;
    await realm.enableFlexibleSync();
    await realm.write(REALM_SCHEMA);
    return history;
  }

  /** Goes on by a few entries, several in one commit, made by the server and by a client. */
  async advance(): Promise<void> {
    const writes: Promise<unknown>[] = [];
    const commits = 1 + this.#random.below(3);
    for (let i = 0; i < commits; i += 1) {
      if (this.#random.chance(0.4)) writes.push(this.realm.write(this.#next()));
      else {
        const base = this.copies.length - 1;
        const entries = Array.from({ length: 1 + this.#random.below(3) }, () =>
          entry(++this.#clientVersion, base, this.#next()),
        );
        writes.push(this.realm.integrate(this.#client, upload(...entries)));
      }
    }
    await Promise.all(writes);
    expect(this.realm.head.version).toBe(this.copies.length - 1);
  }

  async reopen(directory: string): Promise<void> {
    await this.#store.close();
    this.#store = await openServerStore(directory);
    this.realm = await this.#store.realm('/');
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #next(): readonly Instruction[] {
    const changes = this.model.changes();
    this.entries.push(changes);
    this.copies.push(this.model.copy());
    return changes;
  }
}

/** Everything a snapshot shows of the state at `after` equals what was noted then. */
function checkWindow(snapshot: RealmSnapshot, history: History, after: number, random: Random): void {
  const { version } = snapshot.head;
  const window = snapshot.window(after);
  const wanted = history.copies[after]!;
  expect([window.after, window.upTo]).toEqual([after, version]);
  expect(copyOf(window.before)).toEqual(wanted);
  for (const table of TABLES) {
    expect(window.before.count(table)).toBe(wanted.get(table)?.size);
    const all = [...window.before.objects(table)].map(({ key }) => key);
    const at = all[random.below(all.length)];
    if (at !== undefined) {
      const rest = [...window.before.objects(table, at)].map(({ key }) => key);
      expect(rest).toEqual(all.slice(all.indexOf(at) + 1));
    }
  }
  const entries = [...window.entries()];
  const noted = history.entries
    .map((instructions, v) => ({ version: v, instructions }))
    .slice(after + 1, version + 1)
    .filter(({ instructions }) => instructions.length > 0);
  expect(entries.map((e) => ({ version: e.version, instructions: e.instructions }))).toEqual(noted);
  checkTouched(snapshot, history, after);
}

function checkTouched(snapshot: RealmSnapshot, history: History, after: number): void {
  const window = snapshot.window(after);
  const named = new Set<string>();
  for (const instructions of history.entries.slice(after + 1, snapshot.head.version + 1)) {
    for (const instruction of instructions) {
      if (!('key' in instruction) || instruction.table === 'Report') continue;
      named.add(`${instruction.table} ${keyToken(instruction.key)}`);
    }
  }
  const touched = [...window.touched()];
  expect(touched.map(({ table, key }) => `${table} ${keyToken(key)}`)).toEqual([...named]);
  for (const { table, key, before } of touched) {
    expect(window.isTouched(table, key)).toBe(true);
    expect(before !== undefined).toBe(history.copies[after]!.get(table)?.has(keyToken(key)));
    expect(window.before.object(table, key)).toEqual(before);
    // The second answer is one that was kept.
    for (let i = 0; i < 2; i += 1) expect(window.atEnd(table, key)).toEqual(snapshot.object(table, key));
  }
}

/** What indexes and scans find at `after` and at the head is what looking at all objects finds. */
function checkFinding(snapshot: RealmSnapshot, history: History, after: number): void {
  const { before } = snapshot.window(after);
  for (const reader of [snapshot, before]) {
    for (const [table, field] of INDEXABLE) {
      const values = [history.model.value(field), history.model.value(field)];
      const [value] = values;
      const found = [...reader.withValue(table, field, [value!])].map(({ key }) => keyToken(key));
      expect(found).toEqual(holders(reader, table, field, indexToken(value!)));
      const either = new Set(values.flatMap((each) => holders(reader, table, field, indexToken(each))));
      const several = [...reader.withValue(table, field, values)].map(({ key }) => keyToken(key));
      expect(several).toHaveLength(either.size);
      expect(new Set(several)).toEqual(either);
    }
    const target = { table: 'Owner', key: history.model.key('Owner') };
    for (const field of ['owner', 'others', 'any']) {
      const linking = [...reader.linking('Item', field, target)].map(({ key }) => keyToken(key));
      expect(linking).toEqual(holders(reader, 'Item', field, indexToken({ type: 'link', ...target })));
    }
    const keys = [history.model.key('Item'), history.model.key('Item')];
    const byKey = [...reader.withValue('Item', '_id', keys as never)].map(({ key }) => keyToken(key));
    const present = new Set(keys.filter((key) => reader.object('Item', key)).map(keyToken));
    expect(new Set(byKey)).toEqual(present);
  }
}

test.each([testSeed(), testSeed() + 1, testSeed() + 2])(
  'every earlier state, and what happened since, is what it was (seed %i)',
  async (seed) => {
    const random = new Random(seed);
    const directory = temporaryDirectory();
    const history = await History.begin(random, directory);
    const held: { snapshot: RealmSnapshot; version: number }[] = [];
    const indexes: Promise<void>[] = [];
    for (let round = 0; round < 60; round += 1) {
      await history.advance();
      const { realm } = history;
      if (round % 10 === 5) {
        const [table, field] = INDEXABLE[indexes.length % INDEXABLE.length]!;
        indexes.push(realm.ensureIndex(table, field));
      }
      const { version } = realm.head;
      const after = 1 + random.below(version);
      const snapshot = realm.snapshot();
      for (const reading of [realm.now, snapshot]) {
        expect(reading.head).toEqual(realm.head);
        expect(copyOf(reading)).toEqual(history.copies[version]);
        checkWindow(reading, history, after, random);
        checkFinding(reading, history, after);
      }
      if (held.length < 5 && random.chance(0.3)) held.push({ snapshot, version });
      else snapshot.close();
      if (round % 20 === 19) {
        await Promise.all(indexes);
        for (const { snapshot: old, version: at } of held) {
          expect(old.head.version).toBe(at);
          expect(copyOf(old)).toEqual(history.copies[at]);
          checkWindow(old, history, 1 + random.below(at), random);
          old.close();
        }
        held.length = 0;
        await history.reopen(directory);
      }
    }
    for (const [table, field] of INDEXABLE) expect(history.realm.now.isIndexed(table, field)).toBe(true);
    expect(() => history.realm.now.window(-1)).toThrow(RangeError);
    await history.close();
  },
);

const at = (id: number) => ({ type: 'int', value: BigInt(id) }) as const;

async function flexibleRealm(): Promise<ServerRealm> {
  const store = await openServerStore(temporaryDirectory());
  onTestFinished(() => store.close());
  const realm = await store.realm('/');
  await realm.enableFlexibleSync();
  await realm.write(SCHEMA);
  return realm;
}

test('what an entry itself made has no earlier state, however large the entry', async () => {
  const realm = await flexibleRealm();
  const ids = Array.from({ length: 9000 }, (_, i) => i);
  // First all without values, so that they are not stored whole, then one by one once more.
  await realm.write([...ids.map(createItem), ...ids.map((id) => setItem(id, id)), setItem(0, 5)]);
  await realm.write([
    ...ids.flatMap((id) => [createItem(9000 + id), setItem(9000 + id, 1)]),
    setItem(9000, 2),
  ]);
  await realm.write([setItem(0, 6), { op: 'EraseObject', table: 'Item', key: at(1) }]);
  const copies = [1, 2, 3].map((version) => realm.now.window(version));
  expect(copies.map(({ before }) => before.count('Item'))).toEqual([0, 9000, 18_000]);
  expect([...copies[0]!.touched()].some(({ before }) => before !== undefined)).toBe(false);
  expect(copies[1]!.before.object('Item', at(0))?.fields.get('n')).toEqual({ type: 'int', value: 5n });
  expect(copies[1]!.before.object('Item', at(1))?.fields.get('n')).toEqual({ type: 'int', value: 1n });
  expect(realm.now.object('Item', at(1))).toBeUndefined();
});

test('with an erased class its objects are gone from earlier states, too', async () => {
  const realm = await flexibleRealm();
  await realm.write([createItem(1), createItem(2)]);
  await realm.write([setItem(1, 1), { op: 'EraseTable', table: 'Item' }]);
  expect([...realm.now.window(2).touched()]).toEqual([]);
  await realm.write([...SCHEMA, createItem(2)]);
  const window = realm.now.window(2);
  expect([...window.touched()]).toEqual([{ table: 'Item', key: at(2), before: undefined }]);
  expect([...window.before.objects('Item')]).toEqual([]);
});

test('an index goes with its column, and can be made anew', async () => {
  const realm = await flexibleRealm();
  await realm.write([createItem(1), setItem(1, 4)]);
  await realm.ensureIndex('Item', 'n');
  expect(realm.now.isIndexed('Item', 'n')).toBe(true);
  const column = { type: 'string', nullable: true, collection: 'single' } as const;
  await realm.write([
    { op: 'EraseColumn', table: 'Item', field: 'n' },
    { op: 'AddColumn', table: 'Item', field: 'n', column },
  ]);
  expect(realm.now.isIndexed('Item', 'n')).toBe(false);
  await realm.ensureIndex('Item', 'n');
  expect([...realm.now.withValue('Item', 'n', [{ type: 'int', value: 4n }])]).toEqual([]);
  expect([...realm.now.withValue('Item', 'n', [{ type: 'null' }])].map(({ key }) => key)).toEqual([at(1)]);
});

test('there is no looking back to before flexible sync was enabled', async () => {
  const store = await openServerStore(temporaryDirectory());
  onTestFinished(() => store.close());
  const realm = await store.realm('/');
  await realm.write(SCHEMA);
  await realm.write([createItem(1)]);
  await realm.enableFlexibleSync();
  await realm.write([setItem(1, 2)]);
  await realm.enableFlexibleSync();
  expect(realm.now.oldest).toBe(2);
  expect(() => realm.now.window(1)).toThrow(RangeError);
  expect(realm.now.window(2).before.object('Item', at(1))?.fields.size).toBe(0);
});

test('a closed snapshot shows nothing any more, not even through its windows', async () => {
  const realm = await flexibleRealm();
  await realm.write([createItem(1)]);
  const snapshot = realm.snapshot();
  const window = snapshot.window(1);
  snapshot.close();
  const other = realm.snapshot();
  snapshot.close();
  expect(() => snapshot.object('Item', at(1))).toThrow(/closed/);
  expect(() => window.before.object('Item', at(2))).toThrow(/closed/);
  expect(other.object('Item', at(1))).toBeDefined();
  other.close();
});
