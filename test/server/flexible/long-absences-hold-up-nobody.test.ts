/** What happened in a long absence is found out in slices, between which everybody else has a turn. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { clientEntries, clientEntrySteps } from '../../../src/server/flexible/client-delta.ts';
import { sharedDelta } from '../../../src/server/flexible/delta.ts';
import { compileView, parseQueries } from '../../../src/server/flexible/view.ts';
import { EVERYBODY_EVERYTHING } from '../../../src/server/rules/class-rules.ts';
import { CatchUps } from '../../../src/server/sync/catch-ups.ts';
import { openServerStore } from '../../../src/store/server/open.ts';
import { createItem, SCHEMA, setItem } from '../../store/server/changes.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { userOf } from '../rules/support/users.ts';

const OBJECTS = 2_000;

async function afterLongAbsence() {
  const store = await openServerStore(temporaryDirectory());
  onTestFinished(() => store.close());
  const realm = await store.realm('/');
  await realm.enableFlexibleSync();
  const ids = Array.from({ length: OBJECTS }, (_, id) => id);
  await realm.write([...SCHEMA, ...ids.flatMap((id) => [createItem(id), setItem(id, 5)])]);
  const after = realm.head.version;
  await realm.write(ids.map((id) => setItem(id, id % 10)));
  const view = compileView({
    queries: parseQueries('{"Item":"n > 4"}'),
    rules: EVERYBODY_EVERYTHING,
    user: userOf('0a'.repeat(12)),
    schema: realm.schema,
    hidden: 'empty',
  });
  const catchUps = new CatchUps(realm);
  onTestFinished(() => catchUps.close());
  const options = { fileIdent: 7, cursor: { serverVersion: after, clientVersion: 0 }, corrections: [] };
  return { realm, view, after, catchUps, options };
}

test('others have their turn meanwhile, and what they write is not in it', async () => {
  const { realm, view, after, catchUps, options } = await afterLongAbsence();
  const window = realm.now.window(after);
  const atOnce = clientEntries(sharedDelta({ snapshot: realm.now, window, from: view, to: view }), options);
  let isFound = false;
  const began = (version: number): void => expect(version).toBe(window.upTo);
  const finding = catchUps
    .find({ view, after, began, forClient: (delta) => clientEntrySteps(delta, options), isGone: () => false })
    .finally(() => {
      isFound = true;
    });
  let turns = 0;
  for (; !isFound; turns += 1) {
    if (turns === 3) await realm.write([setItem(1, 99)]);
    await nextTurn();
  }
  expect(turns).toBeGreaterThan(10);
  expect(await finding).toEqual(atOnce);
});

test('those who were away as long share the work, and it ends with the last of them', async () => {
  const { view, after, catchUps, options } = await afterLongAbsence();
  const deltas = new Set<unknown>();
  let isGone = false;
  const client = () =>
    catchUps.find({
      view,
      after,
      began() {},
      forClient: (delta) => {
        deltas.add(delta);
        return clientEntrySteps(delta, options);
      },
      isGone: () => isGone,
    });
  const [one, another] = await Promise.all([client(), client()]);
  expect(one).toEqual(another);
  expect(deltas.size).toBe(1);
  const given = client();
  isGone = true;
  await expect(given).rejects.toThrow('nobody waits');
  expect(deltas.size).toBe(1);
});
