import type { ClientFile } from './client-file-table.ts';
import type { HistoryErrorCode, IdentClaim, IdentVerdict } from './contract.ts';

/**
 * Judges what a client says of itself (spec/wire-protocol.md §5.5, in that order). `latestSalt` is the salt that the
 * history has for the client's latest version; `undefined` when it has no such version. Entries up to `baseVersion` were
 * trimmed (spec/server-history.md §6).
 */
export function checkIdent(
  claim: IdentClaim,
  file: ClientFile | undefined,
  currentVersion: number,
  latestSalt: bigint | undefined,
  baseVersion: number,
): IdentVerdict {
  const { download, latest } = claim;
  if (latest.version > currentVersion) {
    return rejected(209, `latest server version ${latest.version} is beyond the current ${currentVersion}`);
  }
  if (file === undefined) return rejected(208, `client file ident ${claim.fileIdent} is unknown`);
  if (file.salt !== claim.fileIdentSalt) return rejected(211, 'the salt of the client file ident differs');
  if (download.serverVersion < file.reciprocalBase) {
    return rejected(
      209,
      `download server version ${download.serverVersion} is below the acknowledged ${file.reciprocalBase}`,
    );
  }
  if (file.lastSeen === 0) return rejected(222, `client file ${claim.fileIdent} has expired`);
  // From here on: neither new, nor one that is being sent the state in place of the history.
  const isFilled = download.serverVersion === 0 || download.serverVersion < (file.filledFrom ?? 0);
  if (download.serverVersion < baseVersion && !isFilled) {
    return rejected(222, `the history up to version ${baseVersion} was trimmed`);
  }
  if (download.serverVersion > currentVersion) {
    return rejected(
      209,
      `download server version ${download.serverVersion} is beyond the current ${currentVersion}`,
    );
  }
  if (download.clientVersion > file.clientVersion) {
    return rejected(
      210,
      `download client version ${download.clientVersion} is beyond the integrated ${file.clientVersion}`,
    );
  }
  if (latest.version < download.serverVersion) {
    return rejected(209, 'the latest server version is below the download server version');
  }
  // The salts of trimmed versions are not known any more.
  if (latest.version >= baseVersion && latest.salt !== latestSalt)
    return rejected(211, `the salt of server version ${latest.version} differs`);
  const { owner, lockedServerVersion } = file;
  return {
    kind: 'accepted',
    uploadCursor: { clientVersion: file.clientVersion, serverVersion: file.reciprocalBase },
    lockedServerVersion,
    ...(owner !== undefined && { owner }),
  };
}

function rejected(code: HistoryErrorCode, message: string): IdentVerdict {
  return { kind: 'rejected', code, message };
}
