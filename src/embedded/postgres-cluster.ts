/** Makes the data directory of an embedded server, once, and remembers its superuser. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { readIfPresent } from './postmaster-file.ts';
import { type Account, spawnAs } from './unprivileged-process.ts';

export type Credentials = { readonly user: string; readonly password: string };

/** Makes the cluster when there is none; checks what is asked for against an existing one. */
export async function ensureCluster(
  directory: string,
  data: string,
  account: Account | undefined,
  options: Partial<Credentials>,
): Promise<Credentials> {
  const credentialsPath = join(directory, 'credentials.json');
  // Written last, so its presence says that the cluster is complete.
  const stored = readIfPresent(credentialsPath);
  if (stored !== undefined) return checkCredentials(directory, stored, options);
  rmSync(data, { recursive: true, force: true });
  makeDirectory(data, 0o700, account);
  const user = options.user ?? 'postgres';
  const password = options.password ?? randomBytes(18).toString('base64url');
  await runInitdb(directory, data, account, { user, password });
  writeFileSync(credentialsPath, JSON.stringify({ user, password }), { mode: 0o600 });
  return { user, password };
}

function checkCredentials(directory: string, stored: string, options: Partial<Credentials>): Credentials {
  const { user, password } = JSON.parse(stored) as Partial<Credentials>;
  if (typeof user !== 'string' || typeof password !== 'string') {
    throw new EmbeddedPostgresError(`${join(directory, 'credentials.json')} is damaged`, {
      remedy: 'restore it with the user and password of the server in that directory',
    });
  }
  if ((options.user ?? user) !== user || (options.password ?? password) !== password) {
    throw new EmbeddedPostgresError(`the server in ${directory} was made with another user or password`, {
      remedy: `use those of ${join(directory, 'credentials.json')}`,
    });
  }
  return { user, password };
}

async function runInitdb(
  directory: string,
  data: string,
  account: Account | undefined,
  credentials: Credentials,
): Promise<void> {
  const passwordPath = join(directory, 'initdb.password');
  writeFileSync(passwordPath, `${credentials.password}\n`, { mode: 0o600 });
  if (account !== undefined) chownSync(passwordPath, account.uid, account.gid);
  try {
    const args = ['-D', data, '-U', credentials.user, `--pwfile=${passwordPath}`, '--auth=scram-sha-256'];
    // The built-in provider sorts by code point and is the same on every operating system.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const child = spawnAs(
      account,
      findPostgresBinaries().initdb,
      [...args, ...locale, '--no-sync', '--no-instructions'],
      [data, passwordPath],
      { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], env: serverEnvironment() },
    );
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new EmbeddedPostgresError(`initdb failed in ${directory}: ${output.trim()}`);
  } finally {
    rmSync(passwordPath, { force: true });
  }
}

/** A directory, made when missing, that belongs to the account. */
export function makeDirectory(path: string, mode: number, account: Account | undefined): void {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
  }
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

/** Only what the server needs: variables such as PGPORT or PGDATA of our own environment are not meant for it. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP, TMPDIR } = process.env;
  return { PATH, SystemRoot, TEMP, TMPDIR, LC_ALL: 'C', TZ: 'UTC' };
}
