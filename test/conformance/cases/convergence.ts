/** Random writes on both sides, with restarts in between; after silence every row equals its object. */
import { expect } from 'vitest';
import { Random, testSeed } from '../../support/random.ts';
import type { Deployment, Device } from '../deployment.ts';
import type { Cases } from '../run-conformance.ts';
import { shop } from './shop.ts';

const STEPS = 150;
const KEYS = 6;

const COUNTRIES = ['x', 'y', null];

class Run {
  readonly #deployment: Deployment;
  readonly #random: Random;
  #words = 0;

  constructor(deployment: Deployment, random: Random) {
    this.#deployment = deployment;
    this.#random = random;
  }

  async step(devices: readonly Device[]): Promise<void> {
    const random = this.#random;
    const drawn = random.below(20);
    if (drawn < 7) this.#writeOn(random.pick(devices));
    else if (drawn < 14) await this.#writeInSql();
    else if (drawn < 17) await random.pick(devices).sync();
    else if (drawn < 19) await this.#deployment.carryAll();
    else await this.#deployment.restart();
  }

  #writeOn(device: Device): void {
    const random = this.#random;
    device.write((realm) => {
      const id = random.below(KEYS);
      const artist = realm.objectForPrimaryKey('artist', random.below(KEYS));
      const album = realm.objectForPrimaryKey('album', id);
      switch (random.below(6)) {
        case 0:
          realm.create('artist', { id, name: this.#word(), country: random.pick(COUNTRIES) }, 'modified');
          break;
        case 1:
          if (artist !== null) artist.name = this.#word();
          break;
        case 2:
          realm.create('album', { id, title: this.#word(), artist }, 'modified');
          break;
        case 3:
          if (album !== null) album.artist = artist;
          break;
        case 4:
          if (album !== null) realm.delete(album);
          break;
        default:
          if (artist !== null && random.chance(0.5)) realm.delete(artist);
      }
    });
  }

  async #writeInSql(): Promise<void> {
    const random = this.#random;
    const id = random.below(KEYS);
    const { database } = this.#deployment;
    const change = database.transaction(async (application) => {
      const name = this.#word();
      switch (random.below(5)) {
        case 0:
          if ((await application.update('artist', { id }, { name })) === 0)
            await application.insert('artist', { id, name });
          break;
        case 1:
          await application.update('artist', { id }, { country: random.pick(COUNTRIES) });
          break;
        case 2:
          if ((await application.update('album', { id }, { title: name })) === 0)
            await application.insert('album', { id, title: name });
          break;
        case 3:
          await application.remove('album', { id });
          break;
        default:
          await application.update('album', { artist: id }, { artist: null });
          await application.remove('artist', { id });
      }
    });
    await change.catch((error: unknown) => {
      if (!database.lostRace(error)) throw error;
    });
  }

  #word(): string {
    this.#words += 1;
    return `w${this.#words}`;
  }
}

export const convergenceCases: Cases = {
  about: 'convergence',
  declare: (declareCase) => {
    const seed = testSeed();
    declareCase(`both sides agree after random writes and restarts (seed ${seed})`, [], async (deploy) => {
      const deployment = await (await deploy(shop)).start();
      const devices = [deployment.device(), deployment.device()];
      const run = new Run(deployment, new Random(seed));
      for (let step = 0; step < STEPS; step += 1) await run.step(devices);
      await deployment.settle();
      const rows = {
        artist: await deployment.rows('artist', 'id', 'name', 'country'),
        album: await deployment.rows('album', 'id', 'title', 'artist'),
      };
      for (const device of devices) {
        expect(device.shown('artist', 'id', 'name', 'country')).toEqual(rows.artist);
        expect(device.shown('album', 'id', 'title', 'artist')).toEqual(rows.album);
      }
    });
  },
};
