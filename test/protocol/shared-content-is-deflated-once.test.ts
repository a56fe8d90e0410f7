import { randomBytes } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompressBody } from '../../src/protocol/compression.ts';
import { sharedContent, splicedBody } from '../../src/protocol/spliced-body.ts';

test('every client reads its own head and the content that all share', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 0, maxLength: 300 }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 200_000 }),
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      async (heads, size, pattern) => {
        const content = Buffer.alloc(size, Buffer.from(pattern));
        const shared = await sharedContent(content);
        for (const head of heads) {
          const body = splicedBody(head, shared);
          const expected = Buffer.concat([head, content]);
          expect(body.size).toBe(expected.length);
          if (body.compressed) expect(inflateSync(body.bytes).equals(expected)).toBe(true);
          expect(Buffer.from(await decompressBody(body)).equals(expected)).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('content that does not shrink is sent as it is', async () => {
  const content = randomBytes(20_000);
  const body = splicedBody(Buffer.from('head '), await sharedContent(content));
  expect(body.compressed).toBe(false);
  expect(Buffer.from(body.bytes).equals(Buffer.concat([Buffer.from('head '), content]))).toBe(true);
});

test('long runs of the highest byte keep the checksum right', async () => {
  const content = Buffer.alloc(5_000_000, 0xff);
  const head = Buffer.alloc(65_535, 0xff);
  const body = splicedBody(head, await sharedContent(content));
  expect(inflateSync(body.bytes).equals(Buffer.concat([head, content]))).toBe(true);
});
