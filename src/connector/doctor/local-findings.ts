/** What this machine must give a connector: a directory that can be written, room in it, and nobody else at work there. */
import { constants, existsSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockDirectory } from '../../store/replica/directory-lock.ts';
import { ReplicaLockedError } from '../../store/replica/errors.ts';
import { openForReading } from '../../store/sqlite/database.ts';
import { type Finding, fine, problem, warning } from '../finding.ts';
import { stoppedTables } from '../schema-watch/class-states.ts';

const MEGABYTE = 1_048_576;
/** A replica grows with what waits; below the first an outage of the server can fill the disk, below the second anything. */
const LOW_BYTES = 1_024 * MEGABYTE;
const TOO_LOW_BYTES = 100 * MEGABYTE;
const LOCK_FILE = 'replicas.lock';
const DATABASE_FILE = 'replicas.sqlite';

export async function localFindings(localPath: string): Promise<readonly Finding[]> {
  const existing = await nearestDirectory(localPath);
  if (existing === undefined) {
    return [problem('local/directory', `localPath ${localPath} is no directory`, 'choose another localPath')];
  }
  const exists = existing === localPath;
  const directory = (await writable(existing))
    ? fine('local/directory', exists ? `${localPath} can be written` : `${localPath} can be made`)
    : problem(
        'local/directory',
        `${existing} cannot be written by this user`,
        'give the user the right to write it, or choose another localPath',
      );
  const room = await roomFinding(existing);
  if (!exists)
    return [directory, room, warning('local/replica', 'there is no replica yet', 'run isthmus load')];
  return [directory, room, ...(await replicaFindings(localPath))];
}

export function hasReplica(localPath: string): boolean {
  return existsSync(join(localPath, DATABASE_FILE));
}

/** The database has a feed, but there is no replica that it could belong to. */
export function feedWithoutReplica(feed: string): Finding {
  return warning(
    'local/replica',
    `${feed} exists, but localPath holds no replica that it belongs to`,
    'set localPath to the directory that the adapter had; if it is lost, run isthmus load --resume',
  );
}

async function nearestDirectory(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).isDirectory() ? path : undefined;
  } catch {
    const parent = dirname(path);
    return parent === path ? undefined : nearestDirectory(parent);
  }
}

async function writable(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function roomFinding(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const text = `${Math.floor(free / MEGABYTE)} MB are free on the disk of ${path}`;
  const remedy = 'free space, or move localPath to another disk';
  if (free < TOO_LOW_BYTES) return problem('local/disk', text, remedy);
  return free < LOW_BYTES ? warning('local/disk', text, remedy) : fine('local/disk', text);
}

async function replicaFindings(localPath: string): Promise<readonly Finding[]> {
  const has = (name: string): Promise<boolean> =>
    access(join(localPath, name)).then(
      () => true,
      () => false,
    );
  if (!(await has(DATABASE_FILE)))
    return [warning('local/replica', 'there is no replica yet', 'run isthmus load')];
  const lock = (await has(LOCK_FILE)) ? lockFinding(localPath) : fine('local/lock', 'no process uses it');
  return [lock, ...stoppedFindings(join(localPath, DATABASE_FILE))];
}

function lockFinding(localPath: string): Finding {
  try {
    lockDirectory(localPath).release();
    return fine('local/lock', 'no process uses the replica: neither adapter nor loader is at work');
  } catch (error) {
    if (!(error instanceof ReplicaLockedError)) throw error;
    return fine('local/lock', `in use, as by a running adapter: ${error.message}`);
  }
}

/** Beside a running adapter, which has the file open. */
function stoppedFindings(file: string): readonly Finding[] {
  const database = openForReading(file);
  try {
    const select = database.prepare('SELECT name, value FROM marks WHERE substr(name, 1, length(?1)) = ?1');
    const marks = (prefix: string): Map<string, string> =>
      new Map(select.all(prefix).map((row) => [String(row.name), String(row.value)] as const));
    const stopped = [...stoppedTables({ marks })].map(([className, { table, reason, remedy, since }]) =>
      problem('tables/stopped', `${className} (${table}) has stopped since ${since}: ${reason}`, remedy),
    );
    return stopped.length > 0 ? stopped : [fine('tables/stopped', 'no table has stopped')];
  } finally {
    database.close();
  }
}
