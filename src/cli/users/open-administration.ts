/**
 * Finds where the users are that a command speaks of: behind the server that is named, behind the one that runs on the
 * configured data directory, or, when none runs, in that directory.
 */
import { readControl } from '../../server/control-file.ts';
import { DEFAULT_APP_ID } from '../../server/data-directory.ts';
import type { ServerOptions } from '../../server/server-options.ts';
import { StoreError } from '../../store/sqlite/store-error.ts';
import type { UserAdministration } from './administration.ts';
import { AdministrationError } from './administration-error.ts';
import { administerDirectory } from './in-directory.ts';
import { type AdminCredentials, administerServer } from './over-http.ts';

export type AdministrationArguments = {
  /** The address of a server. */
  readonly server?: string | undefined;
  readonly adminToken?: string | undefined;
};

export async function openAdministration(
  named: AdministrationArguments,
  configured: ServerOptions,
  signal: AbortSignal,
): Promise<UserAdministration> {
  if (named.server !== undefined) {
    return administerServer(named.server, credentials(named.adminToken, configured), signal);
  }
  const control = await readControl(configured.dataDirectory);
  if (control === undefined) return administerDirectory(configured);
  try {
    return await administerServer(control.url, { kind: 'token', token: control.token }, signal);
  } catch (error) {
    if (!(error instanceof AdministrationError)) throw error;
    return administerAbandoned(configured, error);
  }
}

/** What the file speaks of was killed, unless somebody holds the directory: then `refusal` says what is wrong. */
function administerAbandoned(configured: ServerOptions, refusal: AdministrationError): UserAdministration {
  try {
    return administerDirectory(configured);
  } catch (error) {
    throw error instanceof StoreError ? refusal : error;
  }
}

function credentials(token: string | undefined, configured: ServerOptions): AdminCredentials {
  const { adminUser: username, adminPassword: password, appId = DEFAULT_APP_ID } = configured;
  const chosen = token ?? configured.adminToken;
  if (chosen !== undefined) return { kind: 'token', token: chosen };
  if (username !== undefined && password !== undefined)
    return { kind: 'password', appId, username, password };
  throw new AdministrationError('nothing says who administers the server', {
    remedy: 'set ISTHMUS_ADMIN_TOKEN, or ISTHMUS_ADMIN_USER and ISTHMUS_ADMIN_PASSWORD',
  });
}
