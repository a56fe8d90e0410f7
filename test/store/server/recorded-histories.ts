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

/**
 * The messages in the order in which the server dealt with them. The recording saw an upload when it passed on the
 * wire; the server integrated it later, at the latest before the first download that shows its effect.
 */
export function inServerOrder(messages: readonly RecordedMessage[]): readonly RecordedMessage[] {
  const ordered: RecordedMessage[] = [];
  const waiting: RecordedUpload[] = [];
  const integrated = new Map<number, number>();
  let version = 0;
  const integrateUpTo = (last: RecordedUpload | undefined): boolean => {
    if (last === undefined) return false;
    for (const upload of waiting.slice(0, waiting.indexOf(last) + 1)) {
      if (upload.client !== last.client) continue;
      waiting.splice(waiting.indexOf(upload), 1);
      integrated.set(upload.client, upload.progressClientVersion);
      version += upload.entries.length;
      ordered.push(upload);
    }
    return true;
  };
  for (const message of messages) {
    if (message.kind === 'upload') {
      waiting.push(message);
      continue;
    }
    if (message.kind === 'download') {
      const { client, uploadClientVersion, latestServerVersion } = message;
      const own = () => waiting.find((upload) => upload.client === client);
      while ((integrated.get(client) ?? 0) < uploadClientVersion && integrateUpTo(own()));
      const filled = () => waiting.find((upload) => upload.entries.length > 0);
      while (version < latestServerVersion && integrateUpTo(filled()));
    }
    ordered.push(message);
  }
  return [...ordered, ...waiting];
}
