import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';

const PROCESS = fileURLToPath(new URL('writing-process.ts', import.meta.url));
const KILLS = 5;
const REPORTS_BEFORE_KILL = 40;

/** Runs the writing process until it has reported often enough, kills it, and returns the last number it reported. */
async function writeAndKill(directory: string): Promise<number> {
  const child = spawn(process.execPath, [PROCESS, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let last = 0;
  let reports = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    reports += 1;
    if (reports === REPORTS_BEFORE_KILL) child.kill('SIGKILL');
  }
  expect(await exit).toEqual([null, 'SIGKILL']);
  return last;
}

test('what was reported committed is there, whole, and nothing else', async () => {
  const directory = temporaryDirectory();
  for (let kill = 0; kill < KILLS; kill++) {
    const reported = await writeAndKill(directory);
    // The lock went with the process.
    const store = openReplicaStore(directory);
    try {
      const number = Number(store.mark('number'));
      expect(number - reported).toBeOneOf([0, 1]);
      for (const replica of [store.replica('/a'), store.replica('/b')]) {
        expect(replica.count('Item')).toBe(number * 20);
        const { entries } = replica.uploadScan(replica.upload, Number.POSITIVE_INFINITY);
        expect(entries).toHaveLength(number + 1);
        const { instructions } = decodeChangeset(entries.at(-1)!.changeset);
        expect(instructions.at(-1)).toMatchObject({
          op: 'Update',
          value: { type: 'int', value: BigInt(number) },
        });
      }
    } finally {
      store.close();
    }
  }
});
