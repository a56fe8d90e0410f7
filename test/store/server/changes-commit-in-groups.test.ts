import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import { type CommitParticipant, CommitQueue } from '../../../src/store/server/commit-queue.ts';

let database: DatabaseSync;
let queue: CommitQueue;

/** Notes what it is told. */
class Witness implements CommitParticipant {
  readonly told: string[] = [];
  rolledBack(): void {
    this.told.push('rolled back');
  }
  lost(): void {
    this.told.push('lost');
  }
  committed(): void {
    this.told.push('committed');
  }
}

beforeEach(() => {
  database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  // A violation of the deferred constraint makes the COMMIT itself fail.
  database.exec(`CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);`);
  queue = new CommitQueue(database);
});

const add = (id: number) => () => {
  database.prepare('INSERT INTO parents VALUES (?)').run(id);
  return id;
};
const parents = () => database.prepare('SELECT id FROM parents ORDER BY id').all();

test('a change that fails is rolled back alone', async () => {
  const first = new Witness();
  const second = new Witness();
  const failing = queue.submit(second, 0, () => {
    add(2)();
    throw new Error('refused');
  });
  const results = await Promise.allSettled([
    queue.submit(first, 0, add(1)),
    failing,
    queue.submit(first, 0, add(3)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(parents()).toEqual([{ id: 1 }, { id: 3 }]);
  expect(first.told).toEqual(['committed']);
  expect(second.told).toEqual(['rolled back', 'committed']);
});

test('when the commit fails, every change of the group is rejected and nothing of it stays', async () => {
  const witness = new Witness();
  const orphan = () => database.exec('INSERT INTO children VALUES (9)');
  const group = [queue.submit(witness, 0, add(1)), queue.submit(witness, 0, orphan)];
  const results = await Promise.allSettled(group);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(witness.told).toEqual(['lost']);
  expect(parents()).toEqual([]);
  expect(await queue.submit(witness, 0, add(2))).toBe(2);
  expect(parents()).toEqual([{ id: 2 }]);
});

test('closing makes what is waiting and refuses what comes later', async () => {
  const witness = new Witness();
  const large = 1024 * 1024;
  const waiting = [1, 2, 3, 4, 5].map((id) => queue.submit(witness, large, add(id)));
  queue.close();
  expect(await Promise.all(waiting)).toEqual([1, 2, 3, 4, 5]);
  await expect(queue.submit(witness, 0, add(6))).rejects.toThrow(/closed/);
});

test('what waits is bounded', async () => {
  const witness = new Witness();
  const accepted = queue.submit(witness, 300 * 1024 * 1024, add(1));
  await expect(queue.submit(witness, 0, add(2))).rejects.toMatchObject({ protocolCode: 100 });
  expect(await accepted).toBe(1);
  expect(await queue.submit(witness, 0, add(3))).toBe(3);
});
