/** Housekeeping over real sockets: who is away for too long is reset, who is connected is not. */
import { expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import { Housekeeping } from '../../src/server/housekeeping.ts';
import type { ServerStore } from '../../src/store/server/contract.ts';

test('rounds follow one another, go on after a failure, and end with close', async () => {
  const rounds: string[][] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const store: Pick<ServerStore, 'trim'> = {
    trim: async (connected) => {
      rounds.push([...(connected?.('/a') ?? [])].map(String));
      if (rounds.length === 1) throw new Error('the disk is full');
      if (rounds.length === 3) resolve();
    },
  };
  const housekeeping = new Housekeeping({
    store: store as ServerStore,
    inUse: (path) => (path === '/a' ? [2, 5] : []),
    logger: silentLogger,
    period: 1,
  });
  onTestFinished(() => housekeeping.close());
  await promise;
  await housekeeping.close();
  const after = rounds.length;
  await new Promise((done) => setTimeout(done, 20));
  expect(rounds).toHaveLength(after);
  expect(rounds[0]).toEqual(['2', '5']);
});
