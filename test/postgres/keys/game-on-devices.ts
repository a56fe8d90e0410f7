/** What devices do at random to teams, their members and players, whichever database numbers the rows. */
import { RealmList } from '../../../src/client/realm/list.ts';
import type { RealmObject } from '../../../src/client/realm/realm-object.ts';
import type { Device } from '../../conformance/deployment.ts';
import type { Random } from '../../support/random.ts';

export class GameOnDevices {
  readonly #random: Random;
  readonly #madeOnDevices: number;
  #words = 0;

  /** Of objects that both sides make under one key there are `madeOnDevices`. */
  constructor(random: Random, madeOnDevices: number) {
    this.#random = random;
    this.#madeOnDevices = madeOnDevices;
  }

  play(device: Device): void {
    const random = this.#random;
    device.write((realm) => {
      for (let count = 1 + random.below(3); count > 0; count -= 1) {
        const teams = [...realm.objects('team')];
        const players = [...realm.objects('player')];
        const one = players.length === 0 ? undefined : random.pick(players);
        const other = players.length === 0 ? null : random.pick(players);
        const side = teams.length === 0 ? null : random.pick(teams);
        const RealmId = `d${random.below(this.#madeOnDevices)}`;
        switch (random.below(9)) {
          case 0:
            realm.create('team', { RealmId, name: this.#word() }, 'modified');
            break;
          case 1:
          case 2:
            realm.create('player', { RealmId, name: this.#word(), team: side, rival: other }, 'modified');
            break;
          case 3:
            if (one) one.name = this.#word();
            break;
          case 4:
            if (one) one.rival = other;
            break;
          case 5:
            if (one) one.team = side;
            break;
          case 6:
            if (one && random.chance(0.4)) realm.delete(one);
            break;
          case 7:
            if (side && random.chance(0.3)) realm.delete(side);
            break;
          default: {
            const members = side === null ? undefined : membersOf(side);
            if (members === undefined || one === undefined) break;
            if (members.length > 5) members.splice(random.below(members.length), 2);
            else members.splice(random.below(members.length + 1), 0, one);
          }
        }
      }
    });
  }

  #word(): string {
    this.#words += 1;
    return `d${this.#words}`;
  }
}

export function membersOf(object: RealmObject): RealmList | undefined {
  const members: unknown = Reflect.get(object, 'members');
  return members instanceof RealmList ? members : undefined;
}
