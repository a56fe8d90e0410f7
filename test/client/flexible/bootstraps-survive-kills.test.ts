import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { startTestServer } from '../../server/support/test-server.ts';
import { temporaryDirectory } from '../../store/server/temporary-directory.ts';
import { Random, testSeed } from '../../support/random.ts';
import { openFlexible } from './flexible-realm.ts';

const PROGRAM = fileURLToPath(new URL('../support/flexible-program.ts', import.meta.url));
const OBJECTS = 6000;
const KILLS = 6;

test('a client that is killed at any point of a bootstrap ends with all of it, and with its own writes', {
  timeout: 120_000,
}, async () => {
  const seed = testSeed();
  const random = new Random(seed);
  const server = await startTestServer({ development: true, flexibleSync: {} });
  const author = await openFlexible(server.url);
  await author.realm.subscriptions.update((subs) => subs.add(author.realm.objects('Item')));
  author.realm.write(() => {
    for (let id = 1; id <= OBJECTS; id++)
      author.realm.create('Item', { _id: id, n: id % 10 === 0 ? 0 : id, text: `${id} `.repeat(200) });
  });
  await author.session.uploadCompletion();

  const directory = temporaryDirectory();
  const steps = new Set<string>();
  let starts = 0;
  for (let isUpToDate = false; !isUpToDate; ) {
    starts += 1;
    const child = spawn(process.execPath, [PROGRAM, server.url, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    let line = 0;
    const last = starts > KILLS ? Number.POSITIVE_INFINITY : 1 + random.below(9);
    for await (const text of createInterface({ input: child.stdout })) {
      steps.add(text);
      if (text === 'up to date') isUpToDate = true;
      if (++line === last && !isUpToDate) {
        await sleep(random.below(30));
        child.kill('SIGKILL');
      }
    }
    await exited;
  }
  const about = `seed ${seed}, ${starts} starts, ${[...steps].join(', ')}`;
  const store = openReplicaStore(directory);
  onTestFinished(() => store.close());
  const replica = store.flexibleReplica();
  expect(replica.flexible.latest, about).toMatchObject({ version: 1, state: 'complete' });
  const own = [...replica.objects('Item')].filter(({ state }) => {
    const text = state.fields.get('text');
    return text?.type === 'string' && text.value === 'made here';
  });
  expect(own.length, about).toBeGreaterThan(0);
  expect(replica.count('Item') - own.length, about).toBe(OBJECTS * 0.9);
  await author.session.downloadCompletion();
  expect(author.realm.objects('Item').length, about).toBe(OBJECTS + own.length);
});
