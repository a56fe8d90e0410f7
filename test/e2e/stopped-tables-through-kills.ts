/**
 * A table that stops and goes on again while the adapter's process is killed: what devices changed meanwhile is held, what
 * SQL changed is found by comparing, and neither is lost or done to the wrong side. The same for every database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Device, IsthmusProcess } from '../support/isthmus-processes.ts';
import { Random, testSeed } from '../support/random.ts';
import { create, int, objectsOf, set, text } from './bad-input.ts';

type Models = Record<string, unknown>[];

export type StoppingPlace = {
  readonly sql: (text: string) => Promise<readonly Record<string, string | null>[]>;
  readonly device: () => Promise<Device>;
  readonly load: (schema: Models) => Promise<unknown>;
  /** An adapter that looks at its tables every second. */
  readonly adapter: (schema: Models) => IsthmusProcess;
  /** Another name for a column of the table. */
  readonly rename: (from: string, to: string) => Promise<unknown>;
};

/** Enough for a comparison to be under way when its process is killed. */
const ROWS = 4_000;
/** More of them say more, and take longer. */
const ROUNDS = Number(process.env.ISTHMUS_TEST_KILLS ?? 1);
const WRITES = 25;
const TIMEOUT = 180_000;
const POLL = { timeout: 60_000, interval: 50 };
const schema: Models = [
  { name: 'item', primaryKey: 'id', properties: { id: 'int', name: 'string?', amount: 'int?' } },
];

async function untilLogged(adapter: IsthmusProcess, line: string): Promise<void> {
  const log = (): string => {
    try {
      return adapter.log;
    } catch {
      return ''; // nothing is written yet
    }
  };
  await expect.poll(log, POLL).toContain(line);
}

export function describeStoppedTablesThroughKills(open: (tables: string) => Promise<StoppingPlace>): void {
  const seed = testSeed();

  test(
    `nothing of a stopped table is lost though the adapter is killed (ISTHMUS_TEST_SEED=${seed})`,
    async () => {
      const random = new Random(seed);
      const place = await open(
        'CREATE TABLE item (id int NOT NULL PRIMARY KEY, name varchar(40) NULL, amount int NULL)',
      );
      const expected = new Map<number, { name: string; amount: number }>();
      for (let from = 1; from <= ROWS; from += 1_000) {
        const some = Array.from({ length: 1_000 }, (_, at) => from + at);
        for (const id of some) expected.set(id, { name: `item ${id}`, amount: id });
        await place.sql(
          `INSERT INTO item VALUES ${some.map((id) => `(${id}, 'item ${id}', ${id})`).join(', ')}`,
        );
      }
      await place.load(schema);
      const { replica } = await place.device();
      let next = ROWS;
      // Devices write names and SQL writes amounts, so that it is known what must be there.
      const onDevice = (): void => {
        for (let count = 0; count < WRITES; count += 1) {
          const name = `device ${random.below(1_000_000)}`;
          if (random.chance(0.2)) {
            next += 1;
            expected.set(next, { name, amount: 0 });
            replica.write(create(int(next), { name: text(name), amount: int(0) }));
            continue;
          }
          const id = 1 + random.below(ROWS);
          const item = expected.get(id);
          if (item === undefined) continue;
          expected.set(id, { ...item, name });
          replica.write(set(int(id), { name: text(name) }));
        }
      };
      const inSql = async (key: string): Promise<void> => {
        for (let count = 0; count < WRITES; count += 1) {
          const [id, amount] = [1 + random.below(ROWS), random.below(1_000_000)];
          const item = expected.get(id);
          if (item === undefined) continue;
          expected.set(id, { ...item, amount });
          await place.sql(`UPDATE item SET amount = ${amount} WHERE ${key} = ${id}`);
        }
      };
      let adapter = place.adapter(schema);
      const killed = async (): Promise<void> => {
        await sleep(random.below(400));
        await adapter.kill();
        adapter = place.adapter(schema);
      };
      await untilLogged(adapter, 'The adapter runs');
      for (let round = 0; round < ROUNDS; round += 1) {
        await place.rename('id', 'number');
        await untilLogged(adapter, 'A table is not synced any more');
        onDevice();
        await inSql('number');
        await killed();
        await untilLogged(adapter, 'The adapter runs');
        onDevice();
        await place.rename('number', 'id');
        await untilLogged(adapter, 'A table fits again');
        await inSql('id');
        onDevice();
        await killed();
        onDevice();
        await untilLogged(adapter, 'The adapter runs');
      }
      const wanted = [...expected].map(([id, { name, amount }]) => `${id} ${name} ${amount}`);
      const apart = (found: readonly Record<string, string | null>[]): readonly string[] => {
        const lines = new Set(found.map(({ id, name, amount }) => `${id} ${name} ${amount}`));
        return [...wanted.filter((line) => !lines.delete(line)), ...lines];
      };
      await expect
        .poll(
          async () => ({
            rows: apart(await place.sql('SELECT id, name, amount FROM item')),
            objects: apart(objectsOf(replica)),
          }),
          POLL,
        )
        .toEqual({ rows: [], objects: [] });
    },
    TIMEOUT,
  );
}
