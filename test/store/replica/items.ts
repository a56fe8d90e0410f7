/** Downloads for tests of replicas, on the class `Item {_id: int, n: int}` of test/store/server/changes.ts. */
import { onTestFinished } from 'vitest';
import { encodeChangeset } from '../../../src/changeset/codec.ts';
import type { Instruction } from '../../../src/changeset/instruction.ts';
import {
  openReplicaStore,
  type ReplicaStoreOptions,
  type SqliteReplicaStore,
} from '../../../src/store/replica/open-replica-store.ts';
import type { DownloadBatch, DownloadEntry } from '../../../src/store/server/contract.ts';
import { temporaryDirectory } from '../server/temporary-directory.ts';

export function openStore(
  options?: ReplicaStoreOptions,
  directory = temporaryDirectory(),
): SqliteReplicaStore {
  const store = openReplicaStore(directory, options);
  onTestFinished(() => store.close());
  return store;
}

export function received(
  serverVersion: number,
  instructions: readonly Instruction[],
  options: { clientVersion?: number; timestamp?: number; originFileIdent?: number } = {},
): DownloadEntry {
  const changeset = encodeChangeset(instructions);
  const { clientVersion = 0, timestamp = serverVersion, originFileIdent = 9 } = options;
  return {
    serverVersion,
    clientVersion,
    timestamp,
    originFileIdent,
    originalSize: changeset.length,
    changeset,
  };
}

/** A download whose cursors follow from its last entry, unless told otherwise. */
export function download(
  entries: readonly DownloadEntry[],
  rest: Partial<DownloadBatch> = {},
): DownloadBatch {
  const { serverVersion = 0, clientVersion = 0 } = entries.at(-1) ?? {};
  const { cursor = { serverVersion, clientVersion } } = rest;
  return {
    entries,
    cursor,
    latest: { version: cursor.serverVersion, salt: 7n },
    uploadCursor: { clientVersion: cursor.clientVersion, serverVersion: 0 },
    downloadableBytes: 0,
    ...rest,
  };
}
