/** Bootstraps are made once for many clients; whoever comes later gets what has happened since at the end of the same. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Instruction } from '../../src/changeset/instruction.ts';
import { startServerOn } from '../../src/server/start-server.ts';
import type { ServerRealm } from '../../src/store/server/contract.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { Api } from './support/api.ts';
import { create, FlexibleClient, int, set, T_SCHEMA } from './support/flexible-client.ts';
import { temporaryDirectory } from './support/test-server.ts';

const ALL = { T: '(n > 0)' };

const object = (id: number): Instruction[] => [create(id), set(id, 'n', int(id))];

type Place = { readonly realm: ServerRealm; connect(): Promise<FlexibleClient> };

/** A server whose realm has T[1], of which a client has had a bootstrap that is kept. */
async function afterTheFirst(): Promise<Place> {
  const dataDirectory = await temporaryDirectory();
  const store = await openServerStore(join(dataDirectory, 'realms'));
  const realm = await store.realm('/');
  const options = { dataDirectory, port: 0, development: true, flexibleSync: {} } as const;
  const server = await startServerOn(store, options);
  onTestFinished(() => server.close());
  await realm.write([...T_SCHEMA, ...object(1)]);
  const { accessToken: token } = await new Api(server.url).anonymous();
  const connect = (): Promise<FlexibleClient> => FlexibleClient.start({ url: server.url, token });
  const first = await connect();
  await first.subscribe(1, ALL);
  expect(first.keys('T')).toEqual(['1']);
  return { realm, connect };
}

test('a late-comer has what the server wrote itself after the bootstrap was made', async () => {
  const { realm, connect } = await afterTheFirst();
  await realm.write(object(2));
  const lateComer = await connect();
  await lateComer.subscribe(1, ALL);
  expect(lateComer.keys('T')).toEqual(['1', '2']);
});

test('a late-comer has what it wrote itself before it had given up its subscriptions', async () => {
  const { connect } = await afterTheFirst();
  const lateComer = await connect();
  await lateComer.subscribe(1, ALL);
  lateComer.upload(object(3));
  await lateComer.acknowledged();
  await lateComer.subscribe(2, {});
  expect(lateComer.keys('T')).toEqual([]);
  await lateComer.subscribe(3, ALL);
  expect(lateComer.keys('T')).toEqual(['1', '3']);
});
