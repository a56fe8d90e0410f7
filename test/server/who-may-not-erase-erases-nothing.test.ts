/** In a merge, erasing goes before everything that was done to an object at the same time, its making included. */
import { expect, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { Api } from './support/api.ts';
import { create, erase, FlexibleClient, int, set, T_SCHEMA } from './support/flexible-client.ts';
import { ADMIN, startTestServer } from './support/test-server.ts';

const ALL = { T: '(n > 0)' };
const made: Instruction[] = [create(5), set(5, 'n', int(5))];

test.each<[string, Instruction[]]>([
  ['does not exist', [erase(5)]],
  ['was made in the same transaction', [...made, erase(5)]],
])('an object that %s', async (_, changes) => {
  const server = await startTestServer({
    flexibleSync: {},
    rules: { classes: { T: { roles: [{ name: 'user', write: true, delete: false }] } } },
  });
  const { accessToken } = await new Api(server.url).withPassword(ADMIN.user, ADMIN.password);
  const admin = await FlexibleClient.start({ url: server.url, token: accessToken });
  admin.upload(T_SCHEMA);
  await admin.acknowledged();
  await admin.subscribe(1, ALL);
  const { accessToken: token } = await new Api(server.url).anonymous();
  const guest = await FlexibleClient.start({ url: server.url, token });
  await guest.subscribe(1, ALL);
  await admin.settle();

  guest.upload(changes);
  await guest.acknowledged();
  expect(guest.rejections).toMatchObject([
    { rejectedUpdates: [{ table: 'T', reason: 'T: the user may not erase objects' }] },
  ]);
  // Made by somebody who knows nothing of the other's attempt.
  admin.upload(made);
  await admin.acknowledged();
  await guest.settle();
  expect(guest.keys('T')).toEqual(['5']);
  expect((await seenAnew(server.url, token)).keys('T')).toEqual(['5']);
});

async function seenAnew(url: string, token: string): Promise<FlexibleClient> {
  const client = await FlexibleClient.start({ url, token });
  await client.subscribe(1, ALL);
  return client;
}
