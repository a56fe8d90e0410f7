/** Changesets as entries of a history on their way between client and server, still encoded. */

/** One changeset of an UPLOAD message (wire-protocol.md §3.3). */
export type UploadEntry = {
  readonly clientVersion: number;
  readonly serverVersion: number;
  /** Milliseconds since 2015-01-01T00:00:00Z. */
  readonly timestamp: number;
  /** 0 is the uploading file itself. */
  readonly originFileIdent: number;
  readonly changeset: Uint8Array;
};

/** One changeset of a DOWNLOAD message (wire-protocol.md §4.1). */
export type DownloadEntry = {
  readonly serverVersion: number;
  readonly clientVersion: number;
  readonly timestamp: number;
  readonly originFileIdent: number;
  readonly originalSize: number;
  readonly changeset: Uint8Array;
};
