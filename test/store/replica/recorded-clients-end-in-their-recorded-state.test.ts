import { expect, test } from 'vitest';
import { decodeChangeset } from '../../../src/changeset/codec.ts';
import { openReplicaStore, type SqliteReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import type { SqliteReplica } from '../../../src/store/replica/sqlite-replica.ts';
import type { DownloadBatch } from '../../../src/store/server/contract.ts';
import {
  type RecordedDownload,
  type RecordedHistory,
  type RecordedUpload,
  recordedHistories,
} from '../server/recorded-histories.ts';
import { type RealmAtRest, Replay } from '../server/replay.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';

type RecordedEntry = RecordedUpload['entries'][number];

function batchOf(recorded: RecordedDownload): DownloadBatch {
  return {
    entries: recorded.entries.map((entry) => ({ ...entry, changeset: Buffer.from(entry.changeset, 'hex') })),
    cursor: {
      serverVersion: recorded.downloadServerVersion,
      clientVersion: recorded.downloadClientVersion,
    },
    latest: { version: recorded.latestServerVersion, salt: 1n },
    uploadCursor: {
      clientVersion: recorded.uploadClientVersion,
      serverVersion: recorded.uploadServerVersion,
    },
    downloadableBytes: 0,
  };
}

const atRest = (replica: SqliteReplica): RealmAtRest => ({
  schema: replica.schema,
  object: async (table, key) => replica.object(table, key),
  objects: async function* (table) {
    yield [...replica.objects(table)];
  },
});

/** Makes a recorded local change, and checks that it is uploaded as the recorded client did. */
function makeAgain(replica: SqliteReplica, recorded: RecordedEntry, place: string): void {
  const { instructions } = decodeChangeset(Buffer.from(recorded.changeset, 'hex'));
  const version = recorded.clientVersion;
  replica.write(instructions, { version, timestamp: recorded.timestamp });
  const { entries } = replica.uploadScan({ clientVersion: version - 1, serverVersion: 0 }, 1);
  const [made] = entries;
  expect(made, place).toMatchObject({
    clientVersion: version,
    serverVersion: recorded.serverVersion,
    timestamp: recorded.timestamp,
    originFileIdent: 0,
  });
  expect(decodeChangeset(made!.changeset).instructions, place).toEqual(instructions);
}

/** One recorded client: what it uploaded was made before it integrated anything newer than the upload's base. */
class RecordedClient {
  readonly #waiting: RecordedEntry[];
  readonly #name: string;

  constructor(history: RecordedHistory, client: number) {
    this.#name = `${history.name}, client ${client}`;
    this.#waiting = history.messages.flatMap((m) =>
      m.kind === 'upload' && m.client === client ? m.entries : [],
    );
  }

  integrate(replica: SqliteReplica, recorded: RecordedDownload): void {
    this.#makeChangesBasedBelow(replica, recorded.downloadServerVersion);
    replica.skipVersions(recorded.uploadClientVersion);
    replica.integrate(batchOf(recorded));
  }

  makeRemainingChanges(replica: SqliteReplica): void {
    this.#makeChangesBasedBelow(replica, Number.POSITIVE_INFINITY);
  }

  #makeChangesBasedBelow(replica: SqliteReplica, serverVersion: number): void {
    for (let next = this.#waiting[0]; next !== undefined && next.serverVersion < serverVersion; ) {
      makeAgain(replica, next, this.#name);
      this.#waiting.shift();
      next = this.#waiting[0];
    }
  }
}

class ReplayOfClients {
  readonly #directory = temporaryDirectory();
  #store: SqliteReplicaStore = openReplicaStore(this.#directory);

  async play(history: RecordedHistory, options: { reopen: boolean }): Promise<void> {
    const clients = new Map<number, RecordedClient>();
    const replicaOf = (client: number) => this.#store.replica(`${history.name}/${client}`);
    for (const message of history.messages) {
      if (message.kind === 'ident') {
        clients.set(message.client, new RecordedClient(history, message.client));
        replicaOf(message.client).assignIdentity(message.fileIdent, 1n);
      } else if (message.kind === 'download') {
        clients.get(message.client)?.integrate(replicaOf(message.client), message);
      }
      if (options.reopen) this.reopen();
    }
    const replay = new Replay(history);
    for (const [number, client] of clients) {
      const replica = replicaOf(number);
      client.makeRemainingChanges(replica);
      await replay.compareFinalState(atRest(replica));
    }
  }

  reopen(): void {
    this.#store.close();
    this.#store = openReplicaStore(this.#directory);
  }

  close(): void {
    this.#store.close();
  }
}

test.each(['designed', 'random'] as const)('every client of the %s histories', async (file) => {
  const clients = new ReplayOfClients();
  try {
    for (const history of recordedHistories(file)) await clients.play(history, { reopen: false });
  } finally {
    clients.close();
  }
});

test('also when the process starts anew after every message', async () => {
  const clients = new ReplayOfClients();
  try {
    for (const history of recordedHistories('designed').slice(0, 12))
      await clients.play(history, { reopen: true });
  } finally {
    clients.close();
  }
});
