/**
 * The changesets of one bootstrap, kept until the last session that sends them is through: made at the speed of the
 * store, sent at the speed of each socket. Small ones stay in memory; what is beyond goes into a temporary file.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { SharedContent } from '../../protocol/spliced-body.ts';

/** A changeset of a bootstrap, ready for many clients, and how much of the whole is sent with it. */
export type Portion = { readonly content: SharedContent; readonly progress: number };

/** Bytes of one spool held in memory: several bootstraps can be under way at once. */
const MEMORY_BYTES = 4 * 1024 * 1024;

type Kept =
  | { readonly in: 'memory'; readonly portion: Portion }
  | {
      readonly in: 'file';
      readonly offset: number;
      readonly length: number;
      /** Without the bytes. */
      readonly content: Omit<SharedContent, 'bytes'>;
      readonly progress: number;
    };

export class BootstrapSpool {
  readonly #file: string;
  readonly #kept: Kept[] = [];
  #handle: Promise<FileHandle> | undefined;
  #memory = 0;
  #fileSize = 0;
  #end: 'open' | 'complete' | { readonly error: unknown } = 'open';
  #changed = Promise.withResolvers<void>();

  /** `file` is the path of the temporary file, should one be needed. */
  constructor(file: string) {
    this.#file = file;
  }

  get size(): number {
    return this.#memory + this.#fileSize;
  }

  async append(portion: Portion): Promise<void> {
    this.#kept.push(await this.#keep(portion));
    this.#tell();
  }

  complete(): void {
    this.#end = 'complete';
    this.#tell();
  }

  fail(error: unknown): void {
    if (this.#end === 'complete') return;
    this.#end = { error };
    this.#tell();
  }

  /** The portion at an index, once it is there; undefined after the last one. */
  async portion(index: number): Promise<Portion | undefined> {
    for (;;) {
      const kept = this.#kept[index];
      if (kept !== undefined) return kept.in === 'memory' ? kept.portion : await this.#read(kept);
      if (this.#end === 'complete') return undefined;
      if (this.#end !== 'open') throw this.#end.error;
      await this.#changed.promise;
    }
  }

  /** Forgets everything. Readers that are left fail. */
  async discard(): Promise<void> {
    this.#kept.length = 0;
    if (typeof this.#end === 'string') this.#end = { error: new Error('a bootstrap was given up') };
    this.#tell();
    const handle = await this.#handle?.catch(() => undefined);
    await handle?.close();
    // Where a file cannot lose its name while it is open.
    if (handle !== undefined) await rm(this.#file, { force: true });
  }

  async #keep(portion: Portion): Promise<Kept> {
    const { bytes, ...content } = portion.content;
    const length = bytes.byteLength;
    if (this.#memory + length <= MEMORY_BYTES || this.#memory === 0) {
      this.#memory += length;
      return { in: 'memory', portion };
    }
    this.#handle ??= openNameless(this.#file);
    const handle = await this.#handle;
    const offset = this.#fileSize;
    this.#fileSize += length;
    await handle.write(bytes, 0, length, offset);
    return { in: 'file', offset, length, content, progress: portion.progress };
  }

  async #read({ offset, length, content, progress }: Kept & { in: 'file' }): Promise<Portion> {
    const handle = await this.#handle;
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (handle !== undefined && filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled < length) throw new Error(`the temporary file ${this.#file} has lost what was written`);
    return { content: { ...content, bytes }, progress };
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** Opens a file whose name is gone at once where the system allows that, so that a crash leaves nothing behind. */
async function openNameless(file: string): Promise<FileHandle> {
  const handle = await open(file, 'wx+', 0o600);
  await rm(file).catch(() => {});
  return handle;
}
