import { describe, expect, test } from 'vitest';
import { openServerStore } from '../../../src/store/server/open.ts';
import { recordedHistories } from './recorded-histories.ts';
import { Replay } from './replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const RECORDINGS = { designed: 84, random: 600 } as const;

describe.each(['designed', 'random'] as const)('the %s conversations with the reference server', (file) => {
  test('get the recorded downloads and end in the recorded state', async () => {
    const replays = recordedHistories(file).map((history) => new Replay(history));
    expect(replays).toHaveLength(RECORDINGS[file]);
    const store = await openServerStore(temporaryDirectory());
    for (const replay of replays) {
      const realm = await store.realm(`/${replay.name}`);
      while (await replay.step(realm));
      await replay.compareFinalState(realm);
    }
    await store.close();
  });

  test('do not notice that the server restarts after every message', async () => {
    const directory = temporaryDirectory();
    let open = recordedHistories(file).map((history) => new Replay(history));
    while (open.length > 0) {
      const store = await openServerStore(directory);
      const unfinished: Replay[] = [];
      await Promise.all(
        open.map(async (replay) => {
          const realm = await store.realm(`/${replay.name}`);
          if (await replay.step(realm)) unfinished.push(replay);
          else await replay.compareFinalState(realm);
        }),
      );
      open = unfinished;
      await store.close();
    }
  });
});
