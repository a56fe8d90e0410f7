/** One process per directory of replicas. */
import { join } from 'node:path';
import { FileLock } from '../sqlite/file-lock.ts';
import { ReplicaLockedError } from './errors.ts';

const LOCK_FILE = 'replicas.lock';

/** Throws `ReplicaLockedError` when the directory is in use. */
export function lockDirectory(directory: string): FileLock {
  const file = join(directory, LOCK_FILE);
  return new FileLock(file, (pid) => new ReplicaLockedError(file, pid));
}
