/** Reads `postmaster.pid`, by which a PostgreSQL server tells where it runs and whether it accepts connections. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Postmaster = { readonly pid: number; readonly ready: boolean };

/** Line numbers (from zero) in the file; the status line exists since PostgreSQL 10. */
const STATUS_LINE = 7;

/** What the file of the data directory says; undefined without one. */
export function readPostmasterFile(dataDirectory: string): Postmaster | undefined {
  const text = readIfPresent(join(dataDirectory, 'postmaster.pid'));
  const lines = text?.split('\n') ?? [];
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10));
  if (!(pid > 0)) return undefined;
  return { pid, ready: lines[STATUS_LINE]?.trim() === 'ready' };
}

/** True when the process is a PostgreSQL server of that data directory (on Linux; elsewhere, when it runs at all). */
export function isPostmaster(pid: number, dataDirectory: string): boolean {
  if (!isRunning(pid)) return false;
  if (process.platform !== 'linux') return true;
  const command = readIfPresent(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
  return command.some((argument) => argument.endsWith('postgres')) && command.includes(dataDirectory);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // A process that ends while it is looked at gives ESRCH.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) {
      return undefined;
    }
    throw error;
  }
}
