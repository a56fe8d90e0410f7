/**
 * What a DOWNLOAD may say, given what was integrated before (spec/wire-protocol.md §4.1 and §6.2). The session checks
 * messages as they arrive; this is the check at storage time, so that a bad one can never be made durable.
 */
import type { DownloadBatch } from '../server/contract.ts';
import { IntegrationError } from './errors.ts';
import type { ReplicaRecord } from './replica-table.ts';

/** Largest changeset that is stored and decoded at once, in bytes: what fits in memory several times over. */
const MAX_CHANGESET_BYTES = 256 * 1024 * 1024;

/** Throws `IntegrationError` with code 233 when a rule is broken, 112 when a changeset is too large. */
export function checkProgress(path: string, current: ReplicaRecord, batch: DownloadBatch): void {
  const { cursor, latest, uploadCursor } = batch;
  const { download, upload } = current;
  require(path, latest.version >= current.latest.version, 'the latest server version went back');
  require(path, uploadCursor.clientVersion >= upload.clientVersion, 'the upload cursor went back');
  require(path, uploadCursor.clientVersion <=
    current.version, 'the upload cursor is beyond our newest version');
  require(path, uploadCursor.serverVersion === 0 ||
    uploadCursor.serverVersion >= upload.serverVersion, 'the server version of the upload cursor went back');
  require(path, cursor.serverVersion >= download.serverVersion, 'the download cursor went back');
  require(path, cursor.serverVersion <= latest.version, 'the download cursor is beyond the latest version');
  require(path, cursor.clientVersion >=
    download.clientVersion, 'the client version of the download cursor went back');
  require(path, cursor.clientVersion <=
    uploadCursor.clientVersion, 'the download cursor names a client version that the upload cursor has not reached');
  require(path, cursor.serverVersion >=
    uploadCursor.serverVersion, 'the upload cursor names a server version that was not downloaded');
  checkEntries(path, current, batch);
}

function checkEntries(path: string, current: ReplicaRecord, { entries, cursor }: DownloadBatch): void {
  let serverVersion = 0;
  let clientVersion = 0;
  for (const entry of entries) {
    const ordered = entry.serverVersion >= serverVersion && entry.clientVersion >= clientVersion;
    require(path, ordered, 'the versions of its changesets decrease');
    const covered =
      entry.serverVersion <= cursor.serverVersion && entry.clientVersion <= cursor.clientVersion;
    require(path, covered, 'a changeset is beyond the download cursor');
    const foreign = entry.originFileIdent > 0 && entry.originFileIdent !== current.fileIdent;
    require(path, foreign, 'it contains a changeset of our own');
    if (entry.changeset.length > MAX_CHANGESET_BYTES) {
      const size = `${entry.changeset.length} bytes, at most ${MAX_CHANGESET_BYTES}`;
      throw new IntegrationError(
        112,
        `${path}: the changeset of server version ${entry.serverVersion} has ${size}`,
      );
    }
    ({ serverVersion, clientVersion } = entry);
  }
}

function require(path: string, holds: boolean, problem: string): void {
  if (!holds)
    throw new IntegrationError(233, `${path}: the server's DOWNLOAD cannot follow the last one: ${problem}`);
}
