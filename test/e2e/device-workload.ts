/** Random transactions as an app on a device would make them. */
import { chinookModels } from '../../models/chinook.ts';
import { ObjectRealm } from '../../src/client/realm/object-realm.ts';
import type { Replica } from '../../src/store/replica/contract.ts';
import type { Random } from '../support/random.ts';

/** Keys that devices make; apart from those of the SQL side so that only shared rows meet. */
const FIRST_DEVICE_KEY = 2_000_000;

export class DeviceWorkload {
  readonly #realm: ObjectRealm;
  readonly #random: Random;
  #nextKey: number;
  readonly #ownTracks: number[] = [];

  constructor(replica: Replica, random: Random, number: number) {
    this.#realm = new ObjectRealm({ reader: replica, write: (i) => replica.write(i), schema: chinookModels });
    this.#random = random;
    this.#nextKey = FIRST_DEVICE_KEY + number * 100_000;
  }

  /** One realm transaction of one to four changes. */
  step(): void {
    const changes = 1 + (this.#random.chance(0.4) ? this.#random.below(4) : 0);
    this.#realm.write(() => {
      for (let count = 0; count < changes; count += 1) this.#change();
    });
  }

  nameArtist(key: number, name: string): void {
    this.#realm.write(() => this.#set('Artist', key, { name }));
  }

  close(): void {
    this.#realm.close();
  }

  #change(): void {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
        this.#set('Artist', 1 + random.below(275), { name: this.#text() });
        return;
      case 1:
        this.#set('Track', 1 + random.below(3503), {
          composer: random.chance(0.2) ? null : this.#text(),
          bytes: random.below(9_000_000),
        });
        return;
      case 2:
        this.#set('Track', 1 + random.below(3503), {
          album: random.chance(0.2) ? null : this.#find('Album', 1 + random.below(347)),
        });
        return;
      case 3:
        this.#createTrack();
        return;
      case 4:
        this.#deleteOwnTrack();
        return;
      case 5:
        this.#set('Customer', 1 + random.below(59), {
          phone: this.#text().slice(0, 24),
          company: this.#text(),
        });
        return;
      case 6:
        this.#set('Invoice', 1 + random.below(412), {
          billingCity: this.#text(),
          invoiceDate: new Date(Date.UTC(2000 + random.below(40), random.below(12), 1 + random.below(28))),
        });
        return;
      default:
        this.#editFavourites();
    }
  }

  #find(className: string, key: number) {
    return this.#realm.objectForPrimaryKey(className, key);
  }

  #set(className: string, key: number, values: Record<string, unknown>): void {
    const object = this.#find(className, key);
    if (object === null) return;
    for (const [property, value] of Object.entries(values)) object[property] = value;
  }

  #createTrack(): void {
    this.#nextKey += 1;
    this.#realm.create('Track', {
      trackId: this.#nextKey,
      name: this.#text(),
      album: this.#find('Album', 1 + this.#random.below(347)),
      mediaType: this.#find('MediaType', 1 + this.#random.below(5)),
      genre: null,
      composer: null,
      milliseconds: this.#random.below(600_000),
      bytes: null,
      unitPrice: (this.#random.below(500) / 100).toFixed(2),
    });
    this.#ownTracks.push(this.#nextKey);
  }

  #deleteOwnTrack(): void {
    const [key] = this.#ownTracks.splice(this.#random.below(Math.max(1, this.#ownTracks.length)), 1);
    const track = key === undefined ? null : this.#find('Track', key);
    if (track !== null) this.#realm.delete(track);
  }

  #editFavourites(): void {
    const playlist = this.#find('Playlist', 1 + this.#random.below(18));
    const track = this.#find('Track', 1 + this.#random.below(3503));
    const list = playlist?.favourites;
    if (track === null || !isList(list)) return;
    const at = this.#random.below(list.length + 1);
    switch (this.#random.below(5)) {
      case 0:
        list.splice(at, 0, track);
        return;
      case 1:
        if (list.length > 0) list.splice(this.#random.below(list.length), 1);
        return;
      case 2:
        if (list.length > 0) list[this.#random.below(list.length)] = track;
        return;
      default:
        list.push(track);
    }
  }

  #text(): string {
    return `app ${this.#random.below(1_000_000).toString(36)} ü→\\`;
  }
}

type LinkList = {
  length: number;
  [index: number]: unknown;
  push(value: unknown): unknown;
  splice(at: number, count: number, ...values: unknown[]): unknown;
};

function isList(value: unknown): value is LinkList {
  return typeof value === 'object' && value !== null && 'splice' in value;
}
