/**
 * How programs on the same machine find the running server and administer it: a file in the data directory with its
 * address and a token of this run. Whoever can read that directory holds users and signing keys anyway.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'control.json';
const OWNER_ONLY = 0o600;

export type Control = { readonly url: string; readonly token: string };

/** Replaces what an earlier run left. */
export async function writeControl(dataDirectory: string, control: Control): Promise<void> {
  const file = join(dataDirectory, NAME);
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, JSON.stringify(control), { mode: OWNER_ONLY });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export async function removeControl(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, NAME), { force: true });
}

/** What the last server of that directory wrote; it may have died since. */
export async function readControl(dataDirectory: string): Promise<Control | undefined> {
  let written: unknown;
  try {
    written = JSON.parse(await readFile(join(dataDirectory, NAME), 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw error;
  }
  if (typeof written !== 'object' || written === null || !('url' in written) || !('token' in written)) {
    return undefined;
  }
  const { url, token } = written;
  return typeof url === 'string' && typeof token === 'string' ? { url, token } : undefined;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
