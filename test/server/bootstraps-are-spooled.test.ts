import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BootstrapSpool, type Portion } from '../../src/server/sync/bootstrap-spool.ts';
import { temporaryDirectory } from './support/test-server.ts';

const MIB = 1024 * 1024;

function portion(index: number, size: number): Portion {
  const bytes = new Uint8Array(size).fill(index + 1);
  return { content: { bytes, size: size * 3, checksum: index }, progress: index / 10 };
}

test('what is spooled is read again, from memory and from the file, by several readers at once', async () => {
  const directory = await temporaryDirectory();
  const spool = new BootstrapSpool(join(directory, 'spool'));
  const read = async (): Promise<number[]> => {
    const sizes: number[] = [];
    for (let i = 0; ; i += 1) {
      const next = await spool.portion(i);
      if (next === undefined) return sizes;
      const { bytes, size, checksum } = next.content;
      expect(bytes.every((byte) => byte === i + 1)).toBe(true);
      expect([size, checksum, next.progress]).toEqual([bytes.byteLength * 3, i, i / 10]);
      sizes.push(bytes.byteLength);
    }
  };
  const early = [read(), read()];
  const sizes = [MIB, 3 * MIB, 5 * MIB, 17, 2 * MIB];
  for (const [i, size] of sizes.entries()) await spool.append(portion(i, size));
  spool.complete();
  for (const readSizes of [...(await Promise.all(early)), await read()]) expect(readSizes).toEqual(sizes);
  await spool.discard();
  expect(await readdir(directory)).toEqual([]);
});

test('whoever reads is told when it cannot be made', async () => {
  const spool = new BootstrapSpool(join(await temporaryDirectory(), 'spool'));
  await spool.append(portion(0, 10));
  expect((await spool.portion(0))?.content.bytes.byteLength).toBe(10);
  const waiting = spool.portion(1);
  spool.fail(new Error('the disk is full'));
  await expect(waiting).rejects.toThrow('the disk is full');
  await spool.discard();
});
