import type { HistoryErrorCode, Upload, UploadCursor } from './contract.ts';

/** What an upload is judged against. */
export type UploadContext = {
  /** Integrated when the session began. */
  readonly threshold: UploadCursor;
  /** Progress of the session's last UPLOAD; both parts 0 before the first. */
  readonly progress: UploadCursor;
  /** Server version of the session's download cursor. */
  readonly downloadServerVersion: number;
  readonly lockedServerVersion: number;
};

export type UploadFault = { readonly code: HistoryErrorCode; readonly message: string };

/** The first violation of spec/wire-protocol.md §5.7 that can be seen without reading the changesets. */
export function checkUpload(context: UploadContext, upload: Upload): UploadFault | undefined {
  return progressFault(context, upload) ?? entriesFault(context, upload);
}

function progressFault(context: UploadContext, upload: Upload): UploadFault | undefined {
  const { threshold, progress: previous, downloadServerVersion } = context;
  const { progress, lockedServerVersion } = upload;
  if (progress.clientVersion < previous.clientVersion) {
    return fault(210, `progress went back from ${show(previous)} to ${show(progress)}`);
  }
  if (progress.serverVersion > downloadServerVersion) {
    return fault(209, `progress ${show(progress)} is beyond the downloaded version ${downloadServerVersion}`);
  }
  if (!isPossible(progress) || !agree(progress, threshold) || !agree(progress, previous)) {
    return fault(
      209,
      `progress ${show(progress)} contradicts ${show(previous)} or the integrated ${show(threshold)}`,
    );
  }
  if (lockedServerVersion < context.lockedServerVersion || lockedServerVersion > downloadServerVersion) {
    return fault(209, `locked server version ${lockedServerVersion} is out of range`);
  }
  return undefined;
}

function entriesFault({ threshold, progress }: UploadContext, upload: Upload): UploadFault | undefined {
  let previous = progress;
  for (const entry of upload.entries) {
    if (entry.clientVersion <= previous.clientVersion) {
      return fault(210, `client version ${entry.clientVersion} follows ${previous.clientVersion}`);
    }
    if (!isPossible(entry) || !agree(entry, previous) || !agree(entry, threshold)) {
      return fault(209, `changeset ${show(entry)} contradicts ${show(previous)} or ${show(threshold)}`);
    }
    if (entry.originFileIdent !== 0) {
      return fault(
        216,
        `changeset ${show(entry)} has the unknown origin file ident ${entry.originFileIdent}`,
      );
    }
    previous = entry;
  }
  if (previous.clientVersion > upload.progress.clientVersion) {
    return fault(210, `changeset ${show(previous)} is beyond the progress ${show(upload.progress)}`);
  }
  if (!agree(previous, upload.progress)) {
    return fault(209, `changeset ${show(previous)} contradicts the progress ${show(upload.progress)}`);
  }
  return undefined;
}

/** Nothing of the server's can be integrated in client version 0. */
function isPossible({ clientVersion, serverVersion }: UploadCursor): boolean {
  return clientVersion !== 0 || serverVersion === 0;
}

/** Mutually consistent: what is later for the client is not earlier for the server. */
function agree(a: UploadCursor, b: UploadCursor): boolean {
  if (a.clientVersion === b.clientVersion) return a.serverVersion === b.serverVersion;
  return a.clientVersion < b.clientVersion
    ? a.serverVersion <= b.serverVersion
    : a.serverVersion >= b.serverVersion;
}

function show({ clientVersion, serverVersion }: UploadCursor): string {
  return `(${clientVersion}, ${serverVersion})`;
}

function fault(code: HistoryErrorCode, message: string): UploadFault {
  return { code, message };
}
