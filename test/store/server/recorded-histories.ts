/** The recorded conversations of real clients with the reference server (test/vectors/README.md). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { DownloadBatch, Upload } from '../../../src/store/server/contract.ts';

const entryVersions = { serverVersion: z.number(), clientVersion: z.number() };
const entryRest = { timestamp: z.number(), originFileIdent: z.number(), changeset: z.string() };

const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ident'), client: z.number(), fileIdent: z.number() }),
  z.object({
    kind: z.literal('upload'),
    client: z.number(),
    progressClientVersion: z.number(),
    progressServerVersion: z.number(),
    lockedServerVersion: z.number(),
    entries: z.array(z.object({ ...entryVersions, ...entryRest })),
  }),
  z.object({
    kind: z.literal('download'),
    client: z.number(),
    downloadServerVersion: z.number(),
    downloadClientVersion: z.number(),
    latestServerVersion: z.number(),
    uploadClientVersion: z.number(),
    uploadServerVersion: z.number(),
    entries: z.array(z.object({ ...entryVersions, originalSize: z.number(), ...entryRest })),
  }),
]);

const history = z.object({
  name: z.string(),
  messages: z.array(message),
  finalState: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
});

export type RecordedMessage = z.infer<typeof message>;
export type RecordedUpload = Extract<RecordedMessage, { kind: 'upload' }>;
export type RecordedDownload = Extract<RecordedMessage, { kind: 'download' }>;
export type RecordedHistory = z.infer<typeof history>;

export function recordedHistories(file: 'designed' | 'random'): readonly RecordedHistory[] {
  const packed = readFileSync(new URL(`../../vectors/merges/${file}.jsonl.gz`, import.meta.url));
  const lines = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => history.parse(JSON.parse(line)));
}

export function uploadOf(recorded: RecordedUpload): Upload {
  return {
    entries: recorded.entries.map((entry) => ({ ...entry, changeset: Buffer.from(entry.changeset, 'hex') })),
    progress: {
      clientVersion: recorded.progressClientVersion,
      serverVersion: recorded.progressServerVersion,
    },
    lockedServerVersion: recorded.lockedServerVersion,
  };
}

/** A download in the form of the recordings. */
export function recordedForm(client: number, batch: DownloadBatch): RecordedDownload {
  return {
    kind: 'download',
    client,
    downloadServerVersion: batch.cursor.serverVersion,
    downloadClientVersion: batch.cursor.clientVersion,
    latestServerVersion: batch.latest.version,
    uploadClientVersion: batch.uploadCursor.clientVersion,
    uploadServerVersion: batch.uploadCursor.serverVersion,
    entries: batch.entries.map((entry) => ({
      ...entry,
      changeset: Buffer.from(entry.changeset).toString('hex'),
    })),
  };
}
