/**
 * A directory for verify's replicas, which nothing outlives: the running adapter holds the lock of its own store. What
 * a verify left that was killed is removed by the next one.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from '../../store/replica/directory-lock.ts';

const PREFIX = 'isthmus-verify-';
const NAME = /^isthmus-verify-(\d+)-/;

export type OwnDirectory = { readonly path: string; readonly remove: () => void };

/** Below `localPath`, where there is room for replicas; in the system's directory when the adapter was never here. */
export function makeOwnDirectory(localPath: string): OwnDirectory {
  const parent = existsSync(localPath) ? localPath : tmpdir();
  for (const name of readdirSync(parent)) if (isLeftOver(parent, name)) removeAll(join(parent, name));
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  return { path, remove: () => removeAll(path) };
}

function removeAll(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Its process is gone, as far as can be seen from here, and holds no lock, which can be seen from everywhere. */
function isLeftOver(parent: string, name: string): boolean {
  const pid = NAME.exec(name)?.[1];
  if (pid === undefined || isRunning(Number(pid))) return false;
  try {
    lockDirectory(join(parent, name)).release();
    return true;
  } catch {
    return false; // somebody else's, or in use: not ours to remove
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
