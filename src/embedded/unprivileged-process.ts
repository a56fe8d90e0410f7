/**
 * PostgreSQL refuses to run as root, so a root process runs it under an unprivileged account; any other process runs
 * it as itself.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

export type Account = { readonly uid: number; readonly gid: number };

/** The overflow account of Linux, `nobody` on most systems. */
const OVERFLOW_ID = 65534;
const SETPRIV_PATHS = ['/usr/bin/setpriv', '/bin/setpriv', '/sbin/setpriv', '/usr/sbin/setpriv'] as const;

/** The account to run PostgreSQL under; undefined when this process may run it as itself. */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  let accounts = '';
  try {
    accounts = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // Minimal images have no account file; the kernel does not need one.
  }
  for (const name of ['postgres', 'nobody']) {
    const entry = accounts
      .split('\n')
      .map((line) => line.split(':'))
      .find((fields) => fields[0] === name);
    const uid = Number(entry?.[2] ?? 0);
    const gid = Number(entry?.[3] ?? 0);
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  return { uid: OVERFLOW_ID, gid: OVERFLOW_ID };
}

/**
 * Starts `command` under the account. When a directory on the way to one of `paths` is closed to the account (a home
 * directory of root, say), the process keeps the one capability that lets it pass, through `setpriv`.
 */
export function spawnAs(
  account: Account | undefined,
  command: string,
  args: readonly string[],
  paths: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  if (account === undefined) return spawn(command, args, options);
  const closed = [command, ...paths]
    .map((path) => closedParent(path, account))
    .find((path) => path !== undefined);
  if (closed === undefined) return spawn(command, args, { ...options, ...account });
  const setpriv = SETPRIV_PATHS.find((path) => existsSync(path));
  if (setpriv === undefined) {
    throw new EmbeddedPostgresError(
      `the account ${account.uid} that runs PostgreSQL may not enter ${closed}`,
      {
        remedy: `run as a user other than root, or keep the data elsewhere, or run: chmod o+x ${closed}`,
      },
    );
  }
  const capabilities = '--inh-caps=+dac_override';
  const ambient = '--ambient-caps=+dac_override';
  const identity = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  return spawn(setpriv, [...identity, capabilities, ambient, '--', command, ...args], options);
}

/** The first directory above `path` that the account may not enter. */
function closedParent(path: string, account: Account): string | undefined {
  const parents: string[] = [];
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    parents.push(at);
    if (at === dirname(at)) break;
  }
  return parents.reverse().find((parent) => {
    const { mode, uid, gid } = statSync(parent);
    const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
    return ((mode >> shift) & 1) === 0;
  });
}
