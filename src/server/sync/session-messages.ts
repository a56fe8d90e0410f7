/** UPLOAD and DOWNLOAD between their form on the wire and what the store takes and gives. */
import { compressBody, decompressBody } from '../../protocol/compression.ts';
import { formatDownloadBody, parseUploadBody } from '../../protocol/entry-bodies.ts';
import type { ClientMessage, ServerMessage } from '../../protocol/messages.ts';
import type { DownloadBatch, Upload } from '../../store/server/contract.ts';

/** Messages that belong to a session. */
export type SessionMessage = Exclude<ClientMessage, { type: 'ping' } | { type: 'test_command' }>;
export type BindMessage = Extract<ClientMessage, { type: 'bind' }>;
export type IdentMessage = Extract<ClientMessage, { type: 'ident' }>;
export type UploadMessage = Extract<ClientMessage, { type: 'upload' }>;

/** Inflates and parses an UPLOAD's body. Throws `ProtocolError` 110, 111 or 112. */
export async function decodeUpload(message: UploadMessage): Promise<Upload> {
  return {
    entries: parseUploadBody(await decompressBody(message.body)),
    progress: {
      clientVersion: message.progressClientVersion,
      serverVersion: message.progressServerVersion,
    },
    lockedServerVersion: message.lockedServerVersion,
  };
}

/** The DOWNLOAD of one session for a batch, deflated when that pays (spec/wire-protocol.md §3.4). */
export async function downloadMessage(session: number, batch: DownloadBatch): Promise<ServerMessage> {
  return {
    type: 'download',
    session,
    downloadServerVersion: batch.cursor.serverVersion,
    downloadClientVersion: batch.cursor.clientVersion,
    latestServerVersion: batch.latest.version,
    latestServerVersionSalt: batch.latest.salt,
    uploadClientVersion: batch.uploadCursor.clientVersion,
    uploadServerVersion: batch.uploadCursor.serverVersion,
    downloadableBytes: batch.downloadableBytes,
    body: await compressBody(formatDownloadBody(batch.entries)),
  };
}
