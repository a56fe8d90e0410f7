/** What is being written when a parent's deletion is captured was planned before it, and may still add list rows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { encodeChangeset } from '../../src/changeset/codec.ts';
import { ApplyLoop } from '../../src/connector/apply/apply-loop.ts';
import type { SqlWriter } from '../../src/connector/dialect.ts';
import { RealmRegistry } from '../../src/connector/realms.ts';
import { silentLogger } from '../../src/log.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import { create, mapping } from './harness.ts';

it('they are deleted after the transaction under way, over one connection', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'isthmus-cleanup-'));
  const store = openReplicaStore(directory, { observer: queueMergedTransactions });
  const ran: string[] = [];
  let writers = 0;
  let commit = (): void => {};
  const openWriter = async (): Promise<SqlWriter> => {
    writers += 1;
    return {
      checkpoints: async () => new Map(),
      apply: async (statements, checkpoints) => {
        if (checkpoints.length > 0) await new Promise<void>((resolve) => (commit = resolve));
        ran.push(statements.map(({ kind }) => kind).join());
      },
      rehearse: async () => ({ statements: [], failed: undefined }),
      deadLetter: async () => {},
      close: async () => {},
    };
  };
  const realms: RealmRegistry = new RealmRegistry({
    store,
    schema: new Map(mapping.order.map(({ className, definition }) => [className, definition])),
    applied: new Map(),
    onOpen: () => {},
    onPending: () => loop.wake(),
  });
  const loop: ApplyLoop = new ApplyLoop({
    realms,
    openWriter,
    mapping: () => mapping,
    errorPolicy: false,
    isSecret: () => false,
    beforeApply: async () => {},
    onApplied: () => {},
    logger: silentLogger,
  });
  loop.begin();
  try {
    const { replica } = realms.open('/shop');
    replica.assignIdentity(2, 1n);
    const changeset = encodeChangeset(create('Artist', 1));
    const entry = { serverVersion: 1, clientVersion: 0, timestamp: 1, originFileIdent: 3, changeset };
    replica.integrate({
      entries: [{ ...entry, originalSize: changeset.byteLength }],
      cursor: { serverVersion: 1, clientVersion: 0 },
      latest: { version: 1, salt: 1n },
      uploadCursor: { clientVersion: 0, serverVersion: 0 },
      downloadableBytes: 0,
    });
    for (let count = 0; count < 20; count += 1) await turn();
    const table = mapping.forClass('Artist')!.lists.get('favourites')!.table;
    const clear = { kind: 'listClear', table, oid: '1' } as const;
    const cleaning = loop.runCleanup([clear]);
    for (let count = 0; count < 20; count += 1) await turn();
    expect(ran).toEqual([]);
    commit();
    await cleaning;
    expect(ran).toEqual(['upsert', 'listClear']);
    await loop.runCleanup([clear]);
    expect(writers).toBe(2); // the loop's own and one for all clean-ups
  } finally {
    commit();
    await loop.close();
    realms.close();
    store.close();
    rmSync(directory, { recursive: true });
  }
});
