/**
 * What a client of flexible sync refuses as a violation of the protocol, before anything is stored (wire-protocol.md
 * §4.1, §6.2). The connection ends with it.
 */
import type { Download } from '../../protocol/messages.ts';
import { ProtocolError } from '../../protocol/protocol-error.ts';
import type { Replica } from '../../store/replica/contract.ts';
import type { DownloadEntry } from '../../store/server/contract.ts';

type Current = Pick<Replica, 'latest' | 'upload' | 'download' | 'version' | 'identity'>;

/** Throws `ProtocolError`. */
export function checkDownload(
  current: Current,
  message: Download,
  entries: readonly DownloadEntry[],
): asserts message is Download & Required<Pick<Download, 'batch'>> {
  const { latest, upload, download, version } = current;
  require(message.batch !== undefined, 'it has no batch state');
  require(message.latestServerVersion >= latest.version, 'the latest server version goes back');
  require(message.uploadClientVersion >= upload.clientVersion, 'the upload cursor goes back');
  require(message.uploadClientVersion <= version, 'the upload cursor is beyond our newest version');
  require(message.downloadServerVersion >= download.serverVersion, 'the download cursor goes back');
  require(message.downloadServerVersion <=
    message.latestServerVersion, 'the download cursor is beyond the latest version');
  require(message.downloadClientVersion >=
    download.clientVersion, 'the client version of the download cursor goes back');
  require(message.downloadClientVersion <=
    message.uploadClientVersion, 'the download cursor names a client version that was not integrated');
  require(message.downloadServerVersion >=
    message.uploadServerVersion, 'the upload cursor names a server version that was not downloaded');
  checkEntries(current, message, entries);
}

function checkEntries(
  { download, identity }: Current,
  message: Download,
  entries: readonly DownloadEntry[],
): void {
  let { serverVersion, clientVersion } = download;
  for (const entry of entries) {
    const isOrdered = entry.serverVersion >= serverVersion && entry.clientVersion >= clientVersion;
    require(isOrdered, 'the versions of its changesets decrease');
    require(entry.serverVersion > 0, 'a changeset has the version 0');
    const isCovered =
      entry.serverVersion <= message.downloadServerVersion &&
      entry.clientVersion <= message.downloadClientVersion;
    require(isCovered, 'a changeset is beyond the download cursor');
    const isForeign = entry.originFileIdent > 0 && entry.originFileIdent !== identity?.fileIdent;
    require(isForeign, 'it contains a changeset of our own');
    ({ serverVersion, clientVersion } = entry);
  }
}

function require(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new ProtocolError(103, `download: ${problem}`);
}
