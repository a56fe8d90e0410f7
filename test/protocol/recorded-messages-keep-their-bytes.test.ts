import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressBody, decompressBody } from '../../src/protocol/compression.ts';
import {
  formatDownloadBody,
  formatUploadBody,
  parseDownloadBody,
  parseUploadBody,
} from '../../src/protocol/entry-bodies.ts';
import { formatClientMessage, formatServerMessage } from '../../src/protocol/format-message.ts';
import type { SyncMode } from '../../src/protocol/messages.ts';
import { negotiate, offeredProtocols } from '../../src/protocol/negotiation.ts';
import { parseClientMessage } from '../../src/protocol/parse-client-message.ts';
import { parseServerMessage } from '../../src/protocol/parse-server-message.ts';
import { formatPartitionValue, parsePartitionValue } from '../../src/protocol/partition-value.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';

type Frame = { readonly from: 'client' | 'server'; readonly bytes: Buffer };

/** `1 C>S op=82 'bind 1 3 0 1 0\n' + 2f7031` and `c>s #1 "bind 1 2 0 1 0" +2f78` */
function recordedFrames(file: string): Frame[] {
  const text = readFileSync(new URL(`../vectors/traces/${file}`, import.meta.url), 'utf8');
  const frames: Frame[] = [];
  for (const line of text.split('\n')) {
    const proxy = /^\d+ ([CS])>[CS] op=82 '(.*)\\n'(?: \+ ([0-9a-f]*))?$/.exec(line);
    const log = /^([cs])>[cs] #\d+ "(.*?)"(?: \+([0-9a-f]*))?$/.exec(line);
    const [, side, head, body = ''] = proxy ?? log ?? [];
    if (side === undefined || head === undefined || body.length % 2 === 1) continue;
    const from =
      side.toLowerCase() === 'c' &&
      !/^(ident \d+ \d+ \d+|log_message .*|download .*|pong .*|unbound .*)$/.test(head)
        ? 'client'
        : 'server';
    frames.push({ from, bytes: Buffer.concat([Buffer.from(`${head}\n`), Buffer.from(body, 'hex')]) });
  }
  return frames;
}

function roundTrip(frame: Frame, mode: SyncMode): Buffer {
  return frame.from === 'client'
    ? formatClientMessage(parseClientMessage(frame.bytes, mode))
    : formatServerMessage(parseServerMessage(frame.bytes, mode));
}

describe('messages recorded between real clients and the reference server', () => {
  it('are read and written again byte for byte', () => {
    const frames = recordedFrames('pbs-trace.txt');
    expect(frames.length).toBeGreaterThan(50);
    for (const frame of frames) {
      if (/^mark/.test(frame.bytes.toString('latin1'))) continue; // the same in both directions
      expect(roundTrip(frame, 'pbs').toString('hex')).toBe(frame.bytes.toString('hex'));
    }
  });

  it('carry bodies whose entries are read and written again byte for byte', () => {
    let bodies = 0;
    for (const frame of recordedFrames('pbs-trace.txt')) {
      if (frame.from === 'client') {
        const message = parseClientMessage(frame.bytes, 'pbs');
        if (message.type !== 'upload' || message.body.size === 0) continue;
        expect(formatUploadBody(parseUploadBody(message.body.bytes))).toEqual(
          Buffer.from(message.body.bytes),
        );
      } else {
        const message = parseServerMessage(frame.bytes, 'pbs');
        if (message.type !== 'download' || message.body.size === 0) continue;
        expect(formatDownloadBody(parseDownloadBody(message.body.bytes))).toEqual(
          Buffer.from(message.body.bytes),
        );
      }
      bodies += 1;
    }
    expect(bodies).toBeGreaterThan(4);
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
    const seeds = recordedFrames('pbs-trace.txt').map((frame) => frame.bytes);
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
