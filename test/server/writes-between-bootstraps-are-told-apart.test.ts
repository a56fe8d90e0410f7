import { expect, test } from 'vitest';
import { Api } from './support/api.ts';
import { create, FlexibleClient, int, set, string, T_SCHEMA } from './support/flexible-client.ts';
import { startTestServer } from './support/test-server.ts';

test('a write of before two bootstraps, of which one erased the object and the other brought it back', async () => {
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const { accessToken: token } = await new Api(server.url).anonymous();
  const client = await FlexibleClient.start({ url: server.url, token });
  client.upload(T_SCHEMA);
  await client.acknowledged();
  await client.subscribe(1, { T: '(n == 1)' });
  client.upload([create(1), set(1, 'n', int(1)), set(1, 's', string('before'))]);
  await client.acknowledged();

  client.sendQuery(2, { T: '(n == 2)' });
  const leaving = await client.raw.next('download');
  client.sendQuery(3, { T: '(n > 0)' });
  const entering = await client.raw.next('download');
  // Written while nothing of that was integrated; then the first bootstrap erases it, and the second cannot know of it.
  client.upload([set(1, 's', string('written'))]);
  client.take(leaving);
  expect(client.keys('T')).toEqual([]);
  client.take(entering);
  await client.acknowledged();
  expect(client.rejections).toEqual([]);
  expect(client.field('T', int(1), 's')).toBe('written');
});
