/** realm-web as its vendor shipped it, in Node. */
import * as Realm from 'realm-web';
import { expect, test } from 'vitest';
import { helpersOf } from './journey-helpers.js';
import { JOURNEYS } from './journeys.js';
import { EXPECTED } from './journeys-expected.ts';
import { startWebWorld } from './web-world.ts';

test.each(Object.keys(EXPECTED))('%s', async (name) => {
  const { serverUrl, siteUrl } = await startWebWorld();
  const app = new Realm.App({ id: 'isthmus', baseUrl: serverUrl });
  const world = { Realm, app, ...helpersOf(siteUrl, serverUrl) };
  expect(await JOURNEYS[name]?.(world)).toEqual(EXPECTED[name]);
});

test('every journey has its expectation', () => {
  expect(Object.keys(JOURNEYS).sort()).toEqual(Object.keys(EXPECTED).sort());
});
