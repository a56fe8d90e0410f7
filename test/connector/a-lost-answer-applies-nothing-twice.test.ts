/** A COMMIT whose answer never came may have happened; list rows, for one, must not be inserted a second time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { queueMergedTransactions } from '../../src/adapter/transaction-queueing.ts';
import { ApplyLoop } from '../../src/connector/apply/apply-loop.ts';
import type { SqlWriter, TableInfo } from '../../src/connector/dialect.ts';
import { ApplyError } from '../../src/connector/errors.ts';
import { buildMapping } from '../../src/connector/mapping/build-mapping.ts';
import { RealmRegistry } from '../../src/connector/realms.ts';
import { silentLogger } from '../../src/log.ts';
import { classDefinitions } from '../../src/schema/definitions.ts';
import { parseSchema } from '../../src/schema/notation.ts';
import { openReplicaStore } from '../../src/store/replica/open-replica-store.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { sameNames } from '../support/engine-options.ts';
import { SimulatedDatabase } from './simulated-database.ts';

const PATH = '/shop';
const table: TableInfo = {
  table: { schema: 'public', name: 'artist' },
  columns: ['id', 'name'].map((name) => ({
    name,
    type: 'text',
    baseType: 'text',
    nullable: name !== 'id',
    hasDefault: false,
    readOnly: false,
  })),
  primaryKey: ['id'],
  foreignKeys: [],
};
const definitions = classDefinitions(
  parseSchema([{ name: 'artist', primaryKey: 'id', properties: { id: 'int', name: 'string?' } }]),
);

it.each([true, false])('when the commit happened: %s', async (committed) => {
  const directory = mkdtempSync(join(tmpdir(), 'isthmus-answer-'));
  const server = await openServerStore(join(directory, 'server'));
  const realm = await server.realm(PATH);
  const clientStore = openReplicaStore(join(directory, 'client'));
  const connectorStore = openReplicaStore(join(directory, 'connector'), {
    observer: queueMergedTransactions,
  });
  const database = new SimulatedDatabase([table]);
  const dialect = database.dialect();
  const context = { definitions, catalog: database.catalog, schema: 'public', dialect };
  const mapping = buildMapping({
    ...context,
    options: sameNames,
  });
  const inner = await dialect.openWriter();
  let answersToLose = 1;
  const writer: SqlWriter = {
    ...inner,
    apply: async (statements, checkpoints) => {
      const lose = answersToLose > 0;
      answersToLose -= 1;
      if (committed || !lose) {
        const applying = inner.apply(statements, checkpoints);
        database.waitingCommits.shift()?.();
        await applying;
      }
      if (lose) throw new ApplyError('Connection terminated unexpectedly', { errorClass: 'transient' });
    },
  };
  let synced = 0;
  const realms: RealmRegistry = new RealmRegistry({
    store: connectorStore,
    schema: definitions,
    applied: new Map(),
    onOpen: () => {},
    onPending: () => loop.wake(),
  });
  const loop: ApplyLoop = new ApplyLoop({
    realms,
    openWriter: async () => writer,
    mapping: () => mapping,
    errorPolicy: false,
    isSecret: () => false,
    beforeApply: async () => {},
    onApplied: ({ transactions }) => {
      synced += transactions;
    },
    logger: silentLogger,
  });
  loop.begin();
  try {
    const client = clientStore.replica(PATH);
    const connector = connectorStore.replica(PATH);
    for (const replica of [client, connector]) {
      const { fileIdent, salt } = await realm.allocateClientFile();
      replica.assignIdentity(fileIdent, salt);
    }
    realms.open(PATH);
    const key = { type: 'int', value: 1n } as const;
    client.write([
      {
        op: 'AddTable',
        table: 'artist',
        kind: 'topLevel',
        primaryKey: { field: 'id', type: 'int', nullable: false },
      },
      {
        op: 'AddColumn',
        table: 'artist',
        field: 'name',
        column: { type: 'string', nullable: true, collection: 'single' },
      },
      { op: 'CreateObject', table: 'artist', key },
    ]);
    const { entries, progress } = client.uploadScan(client.upload, 10);
    const fileIdent = client.identity?.fileIdent ?? 0;
    await realm.integrate(fileIdent, { entries, progress, lockedServerVersion: 0 });
    connector.integrate(await realm.download(connector.identity?.fileIdent ?? 0, connector.download, 100));
    for (let attempt = 0; attempt < 200 && synced === 0; attempt += 1) await delay(10);
    // The simulated writer refuses a checkpoint that it has, so a second application would have stopped the loop.
    await loop.close();
    await expect(loop.done).resolves.toBeUndefined();
    expect(synced).toBe(1);
    expect(database.applied).toBe(1);
    expect([...database.rows('public.artist').keys()]).toEqual(['1']);
    expect(realms.get(PATH)?.pending).toEqual([]);
  } finally {
    await loop.close();
    realms.close();
    connectorStore.close();
    clientStore.close();
    await server.close();
    rmSync(directory, { recursive: true });
  }
});
