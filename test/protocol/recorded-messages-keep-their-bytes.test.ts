import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressBody, decompressBody } from '../../src/protocol/compression.ts';
import {
  formatDownloadBody,
  formatUploadBody,
  parseDownloadBody,
  parseUploadBody,
} from '../../src/protocol/entry-bodies.ts';
import { ERROR_CODES, errorLevel, formatErrorBody, isSendable } from '../../src/protocol/error-codes.ts';
import { formatClientMessage, formatServerMessage } from '../../src/protocol/format-message.ts';
import type { SyncMode } from '../../src/protocol/messages.ts';
import { negotiate, offeredProtocols } from '../../src/protocol/negotiation.ts';
import { parseClientMessage } from '../../src/protocol/parse-client-message.ts';
import { parseServerMessage } from '../../src/protocol/parse-server-message.ts';
import { formatPartitionValue, parsePartitionValue } from '../../src/protocol/partition-value.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import { RECORDED_FILES, type RecordedFrame, recordedFrames } from './recorded-frames.ts';

function roundTrip({ from, mode, bytes }: RecordedFrame): Buffer {
  return from === 'client'
    ? formatClientMessage(parseClientMessage(bytes, mode))
    : formatServerMessage(parseServerMessage(bytes, mode));
}

describe('messages recorded between real clients and servers', () => {
  it.each(RECORDED_FILES)('are read and written again byte for byte: %s', (file, count) => {
    const frames = recordedFrames(file);
    expect(frames).toHaveLength(count);
    for (const frame of frames) expect(roundTrip(frame).toString('hex')).toBe(frame.bytes.toString('hex'));
  });

  it('carry bodies whose entries are read and written again byte for byte', async () => {
    let bodies = 0;
    for (const { from, mode, bytes } of recordedFrames()) {
      const message = from === 'client' ? parseClientMessage(bytes, mode) : parseServerMessage(bytes, mode);
      if (message.type !== 'upload' && message.type !== 'download') continue;
      const body = Buffer.from(await decompressBody(message.body));
      const again =
        message.type === 'upload'
          ? formatUploadBody(parseUploadBody(body))
          : formatDownloadBody(parseDownloadBody(body));
      expect(again).toEqual(body);
      bodies += body.byteLength > 0 ? 1 : 0;
    }
    expect(bodies).toBeGreaterThan(12);
  });

  it('have flexible sync’s fields on its connections', () => {
    const download = 'download 1 2 2 2 55 9 1 1 0 0.5 0 0 0\n';
    const parsed = parseServerMessage(Buffer.from(download), 'flx');
    expect(parsed).toMatchObject({ batch: { queryVersion: 1, state: 0, progress: 0.5 } });
    expect(formatServerMessage(parsed).toString()).toBe(download);
    const ident = 'ident 1 7 1234 0 0 0 0 0 2\n{}';
    expect(formatClientMessage(parseClientMessage(Buffer.from(ident), 'flx')).toString()).toBe(ident);
  });
});

describe('what is no message', () => {
  it('gives a protocol error and nothing else', () => {
    const seeds = recordedFrames().map((frame) => frame.bytes);
    const damaged = fc
      .tuple(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
        fc.nat(200),
      )
      .map(([bytes, changes, cut]) => {
        const copy = Buffer.from(bytes.subarray(0, Math.max(0, bytes.length - (cut % 20))));
        for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(
        fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })),
        fc.constantFrom<SyncMode>('pbs', 'flx'),
        (bytes, mode) => {
          for (const parse of [parseClientMessage, parseServerMessage]) {
            try {
              parse(bytes, mode);
            } catch (error) {
              expect(error).toBeInstanceOf(ProtocolError);
            }
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['upload 1 0 99 0 4 0 0\nshort', 'shorter'],
    ['mark 1 1\nleft over', 'left over'],
    ['mark 0 1\n', 'must not be 0'],
    ['mark 1 1 1\n', 'too many'],
    ['mark 1 99999999999999999999\n', 'cannot be'],
    ['upload 1 1 999999999999 10 4 0 0\n', 'announced'],
    ['hello 1\n', 'unknown message type'],
    ['no line feed', 'no head line'],
  ])('%j is refused with the reason', (frame, reason) => {
    expect(() => parseClientMessage(Buffer.from(frame), 'pbs')).toThrow(reason);
  });
});

describe('bodies', () => {
  it('that are cut off or damaged give a protocol error and nothing else', () => {
    const entry = { clientVersion: 2, serverVersion: 1, timestamp: 5, originFileIdent: 0 };
    const whole = formatUploadBody([
      { ...entry, changeset: Buffer.from('abc') },
      { ...entry, clientVersion: 3, changeset: Buffer.alloc(0) },
    ]);
    expect(parseUploadBody(whole)).toHaveLength(2);
    for (let size = 1; size < whole.byteLength; size++) {
      const isWholeEntry = size === '2 1 5 0 3 abc'.length;
      const parse = () => parseUploadBody(whole.subarray(0, size));
      if (isWholeEntry) expect(parse()).toHaveLength(1);
      else expect(parse).toThrow(ProtocolError);
    }
    expect(() => parseUploadBody(Buffer.from('2 1 5 0 4 abc'))).toThrow(
      expect.objectContaining({ protocolCode: 112 }),
    );
    expect(() => parseUploadBody(Buffer.from('2 x 5 0 0 '))).toThrow(
      expect.objectContaining({ protocolCode: 111 }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const parse of [parseUploadBody, parseDownloadBody]) {
          try {
            parse(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
    );
  });

  it('are deflated when that makes them smaller, and come back whole', async () => {
    const text = Buffer.from('abc'.repeat(20_000));
    const body = await compressBody(text);
    expect(body.compressed).toBe(true);
    expect(body.bytes[0]).toBe(0x78);
    expect(Buffer.from(await decompressBody(body))).toEqual(text);
    expect((await compressBody(Buffer.alloc(1024))).compressed).toBe(false);
  });

  it('that unpack to more than announced are stopped at the announced size', async () => {
    const bomb = await compressBody(Buffer.alloc(50_000_000));
    await expect(decompressBody({ ...bomb, size: 1000 })).rejects.toMatchObject({ protocolCode: 110 });
    await expect(decompressBody({ ...bomb, size: 100_000 })).rejects.toMatchObject({ protocolCode: 110 });
    await expect(decompressBody({ ...bomb, size: 50_000_001 })).rejects.toMatchObject({ protocolCode: 110 });
    const cut = { ...bomb, bytes: bomb.bytes.subarray(0, 100) };
    await expect(decompressBody(cut)).rejects.toMatchObject({ protocolCode: 110 });
  });
});

describe('errors', () => {
  it('are told with every key that clients require', () => {
    const body: unknown = JSON.parse(
      formatErrorBody({ message: 'm', tryAgain: true, action: 'ClientReset' }),
    );
    expect(body).toEqual({
      message: 'm',
      tryAgain: true,
      isRecoveryModeDisabled: false,
      shouldClientReset: true,
      logURL: '',
      action: 'ClientReset',
    });
  });

  it('on which clients abort are never to be sent', () => {
    const forbidden = [...ERROR_CODES.keys()].filter((code) => !isSendable(code));
    expect(forbidden).toEqual([104, 202, 203, 205, 207, 214, 215, 218, 219, 220, 221, 224]);
    expect([errorLevel(114), errorLevel(200)]).toEqual(['connection', 'session']);
    expect(isSendable(213)).toBe(false);
  });
});

describe('the handshake', () => {
  it('settles on the newest common version', () => {
    const header = offeredProtocols('pbs').join(', ');
    expect(negotiate(header)).toEqual({ mode: 'pbs', version: 14, protocol: 'com.mongodb.realm-sync#14' });
    expect(negotiate('com.mongodb.realm-query-sync#2-9')?.protocol).toBe('com.mongodb.realm-query-sync#9');
    expect(negotiate('com.mongodb.realm-sync/2')?.protocol).toBe('com.mongodb.realm-sync/2');
    expect(negotiate('com.mongodb.realm-sync#15, com.mongodb.realm-sync#1')).toBeUndefined();
    expect(negotiate('graphql-ws')).toBeUndefined();
  });
});

describe('partition values', () => {
  it.each([
    ['"x"', { type: 'string', value: 'x' }],
    ['/p1', { type: 'string', value: '/p1' }],
    ['5', { type: 'int', value: 5n }],
    ['null', { type: 'null' }],
    ['{"$numberLong":"5"}', { type: 'int', value: 5n }],
    ['{"$oid":"0123456789abcdef01234567"}', { type: 'objectId', value: '0123456789abcdef01234567' }],
    [
      '{"$binary":{"base64":"ASNFZ4mrTe+BI0VniavN7w==","subType":"04"}}',
      { type: 'uuid', value: '01234567-89ab-4def-8123-456789abcdef' },
    ],
  ])('%s is read as clients mean it', (text, value) => {
    const parsed = parsePartitionValue(text);
    expect(parsed).toEqual(value);
    expect(parsePartitionValue(formatPartitionValue(parsed))).toEqual(value);
  });
});
