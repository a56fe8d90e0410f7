/**
 * Lists that both sides change while the adapter's process is killed again and again: what two apps and SQL have done to
 * them is there in the end, everywhere alike and once. The same for every database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RealmList } from '../../src/client/realm/list.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { Device, IsthmusProcess } from '../support/isthmus-processes.ts';
import { Random, testSeed } from '../support/random.ts';

type Models = Record<string, unknown>[];
type Rows = readonly Record<string, string | null>[];

export type KilledPlace = {
  readonly sql: (text: string) => Promise<Rows>;
  readonly device: () => Promise<Device>;
  readonly load: (schema: Models) => Promise<unknown>;
  readonly adapter: (schema: Models) => IsthmusProcess;
  /** A transaction failed because the adapter was in the same rows. */
  readonly lostRace: (error: unknown) => boolean;
};

export type KilledWorld = {
  readonly place: (tables: string) => Promise<KilledPlace>;
  readonly listTable: string;
};

/** More of them say more, and take longer. */
const KILLS = Number(process.env.ISTHMUS_TEST_KILLS ?? 2);
/** Each start of the adapter is a process of its own. */
const TIMEOUT = 180_000;
const LINES = 3;
const STOPS = 8;
const CALM = { timeout: 60_000, interval: 250 };

const schema: Models = [
  {
    name: 'line',
    primaryKey: 'id',
    properties: {
      id: 'int',
      name: 'string?',
      stops: { type: 'list', objectType: 'stop', watch_table: true },
    },
  },
  {
    name: 'stop',
    primaryKey: 'id',
    properties: {
      id: 'int',
      name: 'string?',
      line: { type: 'linkingObjects', objectType: 'line', property: 'stops' },
    },
  },
];

class App {
  readonly device: Device;
  readonly realm: ObjectRealm;

  constructor(device: Device) {
    this.device = device;
    this.realm = new ObjectRealm({
      reader: device.replica,
      write: (instructions) => device.replica.write(instructions),
      schema,
    });
  }

  stopsOf(line: number): RealmList | undefined {
    const list = this.realm.objectForPrimaryKey('line', line)?.stops;
    return list instanceof RealmList ? list : undefined;
  }

  change(random: Random): void {
    this.realm.write(() => {
      const list = this.stopsOf(1 + random.below(LINES));
      const key = 1 + random.below(STOPS);
      const stop = this.realm.objectForPrimaryKey('stop', key);
      if (list === undefined) return;
      const drawn = random.below(6);
      if (stop === null) this.realm.create('stop', { id: key, name: 'device' });
      else if (drawn === 0) this.realm.delete(stop);
      else if (drawn === 1 && list.length > 0) list.remove(random.below(list.length));
      else if (drawn === 2 && list.length > 1)
        list.move(random.below(list.length), random.below(list.length));
      else list.splice(random.below(list.length + 1), 0, stop);
    });
  }

  /** By line, the keys of its stops in order. */
  lists(): Record<string, string> {
    const lists = [...Array(LINES).keys()].map((at) => [
      String(at + 1),
      [...(this.stopsOf(at + 1) ?? [])].map((stop) => String(Reflect.get(Object(stop), 'id'))).join(' '),
    ]);
    return Object.fromEntries(lists);
  }
}

async function untilRunning(adapter: IsthmusProcess): Promise<void> {
  const log = (): string => {
    try {
      return adapter.log;
    } catch {
      return ''; // nothing is written yet
    }
  };
  await expect.poll(log, { timeout: 60_000, interval: 20 }).toContain('The adapter runs');
}

async function changeInSql(place: KilledPlace, listTable: string, random: Random): Promise<void> {
  const [line, stop] = [1 + random.below(LINES), 1 + random.below(STOPS)];
  const index = random.below(3);
  const statements = [
    `UPDATE stop SET line = ${line} WHERE id = ${stop}`,
    `UPDATE stop SET line = ${line} WHERE id = ${stop}`,
    `UPDATE stop SET line = NULL WHERE id = ${stop}`,
    `DELETE FROM stop WHERE id = ${stop}`,
    `INSERT INTO stop SELECT ${stop}, 'SQL', ${line} FROM line WHERE id = ${line} AND NOT EXISTS (SELECT 1 FROM stop WHERE id = ${stop})`,
    `UPDATE ${listTable} SET target = ${stop} WHERE oid = ${line} AND idx = ${index}`,
    `DELETE FROM ${listTable} WHERE oid = ${line} AND idx = ${index}`,
  ];
  await place.sql(random.pick(statements)).catch((error: unknown) => {
    if (!place.lostRace(error)) throw error;
  });
}

/** By line: its stops in the order of the list table, those whose foreign key says so, and places that are wrong. */
async function inSql(place: KilledPlace, listTable: string) {
  const ordered: Record<string, string> = {};
  const members: Record<string, string> = {};
  const wrong: string[] = [];
  for (let line = 1; line <= LINES; line += 1) {
    const rows = await place.sql(`SELECT idx, target FROM ${listTable} WHERE oid = ${line} ORDER BY idx`);
    ordered[line] = rows.map(({ target }) => target).join(' ');
    rows.forEach(({ idx }, at) => {
      if (idx !== String(at)) wrong.push(`${line}: ${idx}`);
    });
    const own = await place.sql(`SELECT id FROM stop WHERE line = ${line} ORDER BY id`);
    members[line] = own.map(({ id }) => id).join(' ');
  }
  return { ordered, members, wrong };
}

const sorted = (lists: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(lists).map(([line, stops]) => [line, stops.split(' ').sort().join(' ')]));

export function describeListsThroughKills({ place: open, listTable }: KilledWorld): void {
  const seed = testSeed();

  test(
    `lists changed from both sides converge though the adapter is killed (ISTHMUS_TEST_SEED=${seed})`,
    async () => {
      const random = new Random(seed);
      const place = await open(`CREATE TABLE line (id int NOT NULL PRIMARY KEY, name varchar(20) NULL);
      CREATE TABLE stop (id int NOT NULL PRIMARY KEY, name varchar(20) NULL, line int NULL REFERENCES line (id));
      CREATE TABLE ${listTable} (oid int NOT NULL, idx int NOT NULL, target int NULL, PRIMARY KEY (oid, idx));
      INSERT INTO line VALUES (1, 'one'), (2, 'two'), (3, 'three');
      INSERT INTO stop VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 1), (4, 'd', 2), (5, 'e', 2)`);
      await place.load(schema);
      const apps = [new App(await place.device()), new App(await place.device())];
      const busy = new AbortController();
      const apply = async (change: () => void | Promise<void>): Promise<void> => {
        while (!busy.signal.aborted) {
          await change();
          await sleep(random.below(60));
        }
      };
      const changes = Promise.all([
        ...apps.map((app) => apply(() => app.change(random))),
        apply(() => changeInSql(place, listTable, random)),
      ]);
      let adapter = place.adapter(schema);
      try {
        for (let kill = 0; kill < KILLS; kill += 1) {
          await untilRunning(adapter);
          await sleep(random.below(900));
          await adapter.kill();
          adapter = place.adapter(schema);
        }
        await untilRunning(adapter);
      } finally {
        busy.abort();
        await changes;
      }
      await expect
        .poll(async () => {
          const { ordered, members, wrong } = await inSql(place, listTable);
          return {
            first: apps[0]?.lists(),
            second: apps[1]?.lists(),
            members,
            wrong,
            ordered,
            pending: apps.some(({ device }) => device.replica.hasUnsynced()),
            alike:
              JSON.stringify([ordered, ordered, sorted(ordered)]) ===
              JSON.stringify([apps[0]?.lists(), apps[1]?.lists(), members]),
          };
        }, CALM)
        .toMatchObject({ alike: true, pending: false, wrong: [] });
      // It stays like that: nothing is on its way that would do something once more.
      const before = await inSql(place, listTable);
      await adapter.kill();
      adapter = place.adapter(schema);
      await untilRunning(adapter);
      await sleep(1_000);
      expect(await inSql(place, listTable)).toEqual(before);
      expect(apps.map((app) => app.lists())).toEqual([before.ordered, before.ordered]);
    },
    TIMEOUT,
  );
}
