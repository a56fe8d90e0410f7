import { expect, test } from 'vitest';
import { checkUpload, type UploadContext } from '../../../src/store/server/check-upload.ts';
import type { Upload, UploadCursor, UploadEntry } from '../../../src/store/server/contract.ts';

const at = (clientVersion: number, serverVersion: number): UploadCursor => ({ clientVersion, serverVersion });
const entry = (clientVersion: number, serverVersion: number, originFileIdent = 0): UploadEntry => ({
  ...at(clientVersion, serverVersion),
  timestamp: 1,
  originFileIdent,
  changeset: new Uint8Array(0),
});
const context: UploadContext = {
  threshold: at(10, 4),
  progress: at(0, 0),
  downloadServerVersion: 8,
  lockedServerVersion: 3,
};
const upload: Upload = { entries: [entry(11, 5), entry(13, 6)], progress: at(14, 7), lockedServerVersion: 5 };

test.each<[string, Partial<Upload>, Partial<UploadContext>, number | undefined]>([
  ['an ordinary upload', {}, {}, undefined],
  ['entries that were integrated before', { entries: [entry(5, 2), entry(11, 5)] }, {}, undefined],
  ['progress without entries', { entries: [] }, {}, undefined],
  ['progress that goes back', {}, { progress: at(15, 7) }, 210],
  ['progress beyond the download', { progress: at(14, 9) }, {}, 209],
  ['server progress without client progress', { entries: [], progress: at(0, 4) }, {}, 209],
  ['progress against the threshold', { entries: [], progress: at(12, 3) }, {}, 209],
  ['progress against the previous one', { entries: [] }, { progress: at(14, 6) }, 209],
  ['a locked version that goes back', { lockedServerVersion: 2 }, {}, 209],
  ['a locked version beyond the download', { lockedServerVersion: 9 }, {}, 209],
  ['entries out of order', { entries: [entry(13, 5), entry(12, 5)] }, {}, 210],
  ['an entry at the previous progress', {}, { progress: at(11, 5) }, 210],
  ['an entry against the one before', { entries: [entry(11, 6), entry(12, 5)] }, {}, 209],
  ['an entry against the threshold', { entries: [entry(11, 3)] }, {}, 209],
  ['an entry beyond the progress', { entries: [entry(15, 7)] }, {}, 210],
  ['an entry against the progress', { entries: [entry(13, 8)] }, {}, 209],
  ['an entry of another origin', { entries: [entry(11, 5, 6)] }, {}, 216],
])('%s', (_, change, contextChange, code) => {
  expect(checkUpload({ ...context, ...contextChange }, { ...upload, ...change })?.code).toBe(code);
});
