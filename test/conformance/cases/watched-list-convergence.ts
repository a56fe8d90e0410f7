/** Lists changed at random on both sides, with restarts and crashes in between; after silence all of them are the same. */
import { expect } from 'vitest';
import { RealmList } from '../../../src/client/realm/list.ts';
import { Random, testSeed } from '../../support/random.ts';
import type { Deployment, Device } from '../deployment.ts';
import type { Cases } from '../run-conformance.ts';
import type { PortableRow, PortableValue } from '../target.ts';
import { lines, numberedLines, ORDER } from './lines.ts';

const STEPS = 120;
const LINES = 3;
const STOPS = 8;

/** How the two sides name the lines and stops. */
type Names = {
  readonly key: 'id' | 'RealmId';
  /** Of the foreign key. */
  readonly member: string;
  readonly of: (id: number) => PortableValue;
  /** What list table and foreign key have for a row; undefined for one that is not there. */
  readonly row: (deployment: Deployment, table: 'line' | 'stop', id: number) => Promise<number | undefined>;
};

const plain: Names = {
  key: 'id',
  member: 'line',
  of: (id) => id,
  row: async (_deployment, _table, id) => id,
};

const numbered: Names = {
  key: 'RealmId',
  member: 'lineId',
  of: (id) => `key-${id}`,
  row: async (deployment, table, id) => {
    const rows = await deployment.rows(table, 'RealmId', `${table}Id`);
    const row = rows.find(([key]) => key === `key-${id}`);
    return row === undefined ? undefined : Number(row[1]);
  },
};

class Run {
  readonly #deployment: Deployment;
  readonly #random: Random;
  readonly #names: Names;

  constructor(deployment: Deployment, random: Random, names: Names) {
    this.#deployment = deployment;
    this.#random = random;
    this.#names = names;
  }

  async step(devices: readonly Device[]): Promise<void> {
    const random = this.#random;
    const drawn = random.below(20);
    if (drawn < 7) this.#changeOn(random.pick(devices));
    else if (drawn < 14) await this.#changeInSql();
    else if (drawn < 17) await random.pick(devices).sync();
    else if (drawn < 19) await this.#deployment.carryAll();
    else if (random.chance(0.4)) await this.#deployment.restart();
    else await this.#deployment.crash(random.pick(['beforeCommit', 'afterCommit'] as const));
  }

  #changeOn(device: Device): void {
    const random = this.#random;
    const { key, of } = this.#names;
    device.write((realm) => {
      const id = of(random.below(LINES));
      const line = realm.objectForPrimaryKey('line', id);
      const stop = realm.objectForPrimaryKey('stop', of(random.below(STOPS)));
      const list = line?.stops instanceof RealmList ? line.stops : undefined;
      switch (random.below(8)) {
        case 0:
          realm.create('line', { [key]: id, name: 'd' }, 'modified');
          break;
        case 1:
          realm.create('stop', { [key]: of(random.below(STOPS)), name: 'd' }, 'modified');
          break;
        case 2:
          if (random.chance(0.3) && line !== null) realm.delete(line);
          break;
        case 3:
          if (random.chance(0.5) && stop !== null) realm.delete(stop);
          break;
        case 4:
          if (list !== undefined && list.length > 0) list.remove(random.below(list.length));
          break;
        case 5:
          if (list !== undefined && list.length > 1)
            list.move(random.below(list.length), random.below(list.length));
          break;
        default:
          if (list !== undefined && stop !== null) list.splice(random.below(list.length + 1), 0, stop);
      }
    });
  }

  async #changeInSql(): Promise<void> {
    const random = this.#random;
    const { key, member, of, row } = this.#names;
    const { database } = this.#deployment;
    const [line, stop] = [random.below(LINES), random.below(STOPS)];
    const oid = await row(this.#deployment, 'line', line);
    const target = await row(this.#deployment, 'stop', stop);
    const byKey = (id: number): PortableRow => ({ [key]: of(id) });
    const change = database.transaction(async (application) => {
      switch (random.below(7)) {
        case 0:
          if ((await application.update('line', byKey(line), { name: 's' })) === 0)
            await application.insert('line', byKey(line));
          break;
        case 1:
          if (oid === undefined) break;
          if ((await application.update('stop', byKey(stop), { [member]: oid })) === 0)
            await application.insert('stop', { ...byKey(stop), [member]: oid });
          break;
        case 2:
          await application.update('stop', byKey(stop), { [member]: null });
          break;
        case 3:
          await application.remove('stop', byKey(stop));
          break;
        case 4:
          if (oid === undefined || !random.chance(0.4)) break;
          await application.update('stop', { [member]: oid }, { [member]: null });
          await application.remove('line', byKey(line));
          break;
        case 5:
          if (oid !== undefined) await application.remove(ORDER, { oid, idx: random.below(3) });
          break;
        default:
          if (oid !== undefined && target !== undefined)
            await application.update(ORDER, { oid, idx: random.below(3) }, { target });
      }
    });
    await change.catch((error: unknown) => {
      if (!database.lostRace(error)) throw error;
    });
  }

  /** By line the keys of its stops: in order, and those whose foreign key says so, sorted. */
  async #inSql(): Promise<{
    ordered: Record<string, string>;
    members: Record<string, string>;
    indexes: string;
  }> {
    const { key, member } = this.#names;
    const isPlain = key === 'id';
    const keysOf = async (table: 'line' | 'stop') =>
      new Map(
        (await this.#deployment.rows(table, isPlain ? key : `${table}Id`, key)).map(([own, of]) => [own, of]),
      );
    const [lineKeys, stopKeys] = [await keysOf('line'), await keysOf('stop')];
    const ordered = new Map<string, (string | null | undefined)[]>();
    const indexes: (string | null | undefined)[] = [];
    const rows = await this.#deployment.rows(ORDER, 'oid', 'idx', 'target');
    for (const [oid, index, target] of rows) {
      const line = String(lineKeys.get(oid ?? null));
      const stops = ordered.get(line) ?? [];
      indexes.push(index === String(stops.length) ? undefined : `${line}: ${index}`);
      ordered.set(line, [...stops, stopKeys.get(target ?? null)]);
    }
    const members = new Map<string, (string | null)[]>();
    for (const [line = null, stop = null] of await this.#deployment.rows('stop', member, key))
      if (line !== null)
        members.set(String(lineKeys.get(line)), [...(members.get(String(lineKeys.get(line))) ?? []), stop]);
    const texts = (lists: Map<string, readonly unknown[]>) =>
      Object.fromEntries([...lists].map(([line, stops]) => [line, stops.join(' ')]));
    for (const stops of members.values()) stops.sort();
    return { ordered: texts(ordered), members: texts(members), indexes: indexes.join('') };
  }

  async agree(devices: readonly Device[]): Promise<void> {
    const { key } = this.#names;
    const { ordered, members, indexes } = await this.#inSql();
    expect(indexes).toBe('');
    const sorted = Object.entries(ordered).map(([line, stops]) => [line, stops.split(' ').sort().join(' ')]);
    expect(members).toEqual(Object.fromEntries(sorted));
    for (const device of devices) {
      const lists = device.shown('line', key, 'stops').filter(([, stops]) => stops !== '[]');
      expect(Object.fromEntries(lists.map(([line, stops]) => [line, stops?.slice(1, -1)]))).toEqual(ordered);
    }
  }
}

export const watchedListConvergenceCases: Cases = {
  about: 'convergence of lists that both sides change',
  declare: (declareCase) => {
    const seed = testSeed();
    for (const [what, world, names, needs] of [
      ['keys of the application', lines, plain, []],
      ['keys that the database makes', numberedLines, numbered, ['generatedKeys']],
    ] as const) {
      declareCase(
        `random changes, restarts and crashes, with ${what} (seed ${seed})`,
        needs,
        async (deploy) => {
          const deployment = await (await deploy(world)).start();
          const devices = [deployment.device(), deployment.device()];
          const run = new Run(deployment, new Random(seed), names);
          for (let step = 0; step < STEPS; step += 1) await run.step(devices);
          await deployment.settle();
          await run.agree(devices);
        },
      );
    }
  },
};
