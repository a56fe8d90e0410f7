/** Writers that get in each other's way while somebody follows the changes: what he pieces together is the table. */
import { expect, test } from 'vitest';
import { Random, testSeed } from '../../support/random.ts';
import { SqlFailure } from './contract.ts';
import { type Client, TRACKED, testServer } from './engine-client.ts';

const SEED = testSeed();
const WRITERS = 4;
const TRANSACTIONS = 60;
const KEYS = 20;

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

async function write(client: Client, random: Random): Promise<void> {
  for (let count = 0; count < TRANSACTIONS; count++) {
    try {
      await client.run('BEGIN TRAN');
      for (let statements = 1 + random.below(3); statements > 0; statements--) {
        const id = random.below(KEYS);
        const value = random.below(1000);
        await client.run(
          random.below(4) === 0
            ? `DELETE item WHERE id = ${id}`
            : `UPDATE item WITH (UPDLOCK, SERIALIZABLE) SET b = ${value} WHERE id = ${id}; IF @@ROWCOUNT = 0 INSERT item (id, b) VALUES (${id}, ${value})`,
        );
        await breathe();
      }
      await client.run(random.below(6) === 0 ? 'ROLLBACK' : 'COMMIT');
    } catch (error) {
      // A deadlock's victim was rolled back; nothing else may go wrong.
      if (!(error instanceof SqlFailure) || error.number !== 1205) throw error;
    }
  }
}

/** Reads the changes since `since` into `state` and says up to which version that was. */
async function poll(client: Client, since: unknown, state: Map<unknown, unknown>): Promise<unknown> {
  await client.run('SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN');
  const version = await client.value('SELECT CHANGE_TRACKING_CURRENT_VERSION()');
  await breathe();
  const changes = await client.rows(
    `SELECT ct.id, ct.SYS_CHANGE_OPERATION AS op, i.id AS present, i.b FROM CHANGETABLE(CHANGES item, ${since}) AS ct LEFT JOIN item AS i ON i.id = ct.id`,
  );
  for (const { id, op, present, b } of changes) {
    expect(present === null).toBe(op === 'D');
    if (op === 'D') state.delete(id);
    else state.set(id, b);
  }
  await client.run('COMMIT');
  return version;
}

test(`changes that are polled in snapshots add up to the table (seed ${SEED})`, async () => {
  const server = await testServer();
  const first = server.connect();
  await first.run(TRACKED);
  const random = new Random(SEED);
  const state = new Map<unknown, unknown>();
  const reader = server.connect();
  let since: unknown = 0;
  let done = false;
  const polling = (async () => {
    while (!done) {
      since = await poll(reader, since, state);
      await breathe();
    }
  })();
  await Promise.all(Array.from({ length: WRITERS }, () => write(server.connect(), random)));
  done = true;
  await polling;
  since = await poll(reader, since, state);
  const rows = await first.rows('SELECT id, b FROM item ORDER BY id');
  const followed = [...state].map(([id, b]) => ({ id, b })).sort((a, b) => Number(a.id) - Number(b.id));
  expect(followed).toEqual(rows);
  expect(since).toBeGreaterThan(TRANSACTIONS);
});
