/**
 * A bootstrap that follows from other rights has no query version of its own: only the cursor of a client that comes
 * back tells whether it was integrated. What happened just before comes as a part of it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { onTestFinished, test } from 'vitest';
import type { ObjectInstruction } from '../../../src/changeset/instruction.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { Random } from '../../support/random.ts';
import { SimulatedDevice } from './simulated-device.ts';
import { SimulatedServer } from './simulated-server.ts';

const MOST_TURNS = 1_000;
const CHIEF = { role: 'chief', team: 'red' };
const GUEST = { role: 'guest', team: 'red' };

function item(id: number, g: number): ObjectInstruction[] {
  const of = { table: 'T', key: { type: 'int', value: BigInt(id) } } as const;
  const value = { type: 'int', value: BigInt(g) } as const;
  return [
    { op: 'CreateObject', ...of },
    { op: 'Update', ...of, field: 'g', path: [], value, isDefault: false },
  ];
}

/** What has arrived is read beside everything else. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await nextTurn();
}

async function until(device: SimulatedDevice, isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn += 1) {
    if (turn > MOST_TURNS) throw new Error('it does not come to that');
    device.passOn(10, 10);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test.each([0, 1, 2, 3])('the connection is lost after %d messages', async (messages) => {
  const server = await SimulatedServer.open(temporaryDirectory(), new Random(1));
  onTestFinished(() => server.close());
  const store = openReplicaStore(temporaryDirectory());
  onTestFinished(() => store.close());
  const device = new SimulatedDevice('ada', store, new Random(1));
  onTestFinished(() => device.close());
  // Of these the guests do not see T[1].
  await server.realm.write([...item(1, 1), ...item(2, 2)]);
  device.rights = CHIEF;
  const id = '1'.padStart(24, '0');
  const all = { id, name: undefined, table: 'T', query: 'TRUEPREDICATE', createdAt: 0, updatedAt: 0 };
  device.replica.flexible.subscribe([all]);
  device.connect(server);
  await until(device, () => Object.keys(device.contents('T')).length === 2 && device.isSettled);

  // In one step, so that the device has not been told of the write.
  const stop = server.realm.onAdvance(() => {
    stop();
    device.changeRights(GUEST);
  });
  await server.realm.write(item(3, 2));
  for (let turn = 0; turn < MOST_TURNS && device.expected < messages; turn += 1) await nextTurn();
  device.passOn(0, messages);
  await someTurns();
  device.disconnect();
  device.connect(server);
  await until(device, () => Object.keys(device.contents('T')).join() === 'i2,i3');
});
