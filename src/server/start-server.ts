/** Puts the object server together: store, users, HTTP and sync sockets on one port. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { silentLogger } from '../log.ts';
import type { ServerStore } from '../store/server/contract.ts';
import { openServerStore } from '../store/server/open.ts';
import { AccountStore } from './accounts/account-store.ts';
import { Accounts, type User } from './accounts/accounts.ts';
import { ensureAdministrator } from './accounts/administrator.ts';
import type { AuthenticationOptions } from './accounts/authentication-options.ts';
import type { EmailAccountsOptions } from './accounts/email-options.ts';
import { PasswordHasher } from './accounts/password-hasher.ts';
import { newSecret } from './accounts/secret-hash.ts';
import { configuredAdminToken } from './admin-token.ts';
import { removeControl, writeControl } from './control-file.ts';
import { ACCOUNTS_FILE, DEFAULT_APP_ID, REALMS_DIRECTORY } from './data-directory.ts';
import { AppFunctions } from './functions/app-functions.ts';
import { Housekeeping } from './housekeeping.ts';
import { openAuthentication } from './http/authentication.ts';
import { createHttpApp } from './http/http-app.ts';
import { PublicAddress } from './http/public-address.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { realmAccess } from './permissions.ts';
import { RealmRegistry } from './realms/realm-registry.ts';
import { openRights, type Rights } from './rules/open-rights.ts';
import type { RunningServer, ServerOptions } from './server-options.ts';
import { ServerStartError } from './server-start-error.ts';
import { openSync } from './sync/open-sync.ts';
import { SyncEndpoint } from './sync/sync-endpoint.ts';

export type { RunningServer, ServerOptions };

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 9090;
const DAY = 24 * 60 * 60_000;

const VERSION = ownVersion();

/** Starts the object server; resolves when it accepts connections. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  // The signing key and the password hashes are nobody else's business.
  await mkdir(options.dataDirectory, { recursive: true, mode: 0o700 });
  const { clientMaxOfflineDays } = options;
  const store = await openServerStore(
    join(options.dataDirectory, REALMS_DIRECTORY),
    undefined,
    clientMaxOfflineDays === undefined ? {} : { maxOffline: clientMaxOfflineDays * DAY },
  );
  try {
    return await startServerOn(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** As {@link startServer}, on a store that is open; `close()` of the server closes it. */
export async function startServerOn(store: ServerStore, options: ServerOptions): Promise<RunningServer> {
  const {
    dataDirectory,
    host = DEFAULT_HOST,
    port = DEFAULT_PORT,
    appId = DEFAULT_APP_ID,
    logger = silentLogger,
  } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const accounts = new Accounts(
    new AccountStore(join(dataDirectory, ACCOUNTS_FILE)),
    new PasswordHasher(limits.waitingPasswordChecks),
    { appId, now: () => Math.floor(Date.now() / 1000), email: emailOptions(options.authentication) },
  );
  let rights: Rights | undefined;
  try {
    const opened = openRights(options, {
      byId: (id) => accounts.userById(id),
      byName: (name) => accounts.userByName(name),
    });
    rights = opened;
    accounts.onRevoked(({ userId }) => {
      if (accounts.userById(userId) === undefined) opened.paths.forgetUser(userId);
    });
    const administrator = await ensureAdministrator(accounts, options, process.env);
    if (options.development === true && options.permissions !== undefined) {
      logger.warn('in development mode everybody may write: the permissions function is not asked');
    }
    const address = new PublicAddress(options.publicUrl, () => localUrl(host, listeningPort()));
    const adminToken = configuredAdminToken(options.adminToken, process.env);
    const controlToken = newSecret();
    const functions = new AppFunctions(options.functions ?? {}, limits);
    const app = createHttpApp({
      appId,
      accounts,
      functions,
      pushServices: options.pushServices ?? {},
      callLimit: limits.functionCall,
      adminTokens: [controlToken, ...(adminToken === undefined ? [] : [adminToken])],
      info: () => ({
        version: VERSION,
        appId,
        url: address.http(),
        realms: registry.size,
        connections: endpoint.size,
      }),
      ...openAuthentication(options.authentication ?? {}, accounts, limits, Date.now),
      permissions: opened.paths,
      address,
      redirectTo: options.redirectTo,
      trustedProxies: Number(options.trustProxy ?? 0),
      logger,
      bodyLimit: limits.httpBody,
    });
    const listeningPort = (): number => {
      const listening = app.server.address();
      return typeof listening === 'object' && listening !== null ? listening.port : port;
    };
    const registry = await RealmRegistry.open(store, Date.now);
    // A connection may be older than what the user's custom data says.
    const asOfNow = (user: User): User => accounts.userById(user.id) ?? user;
    const sync = await openSync({
      registry,
      limits,
      flexible: options.flexibleSync ?? {},
      partition: options.partitionSync ?? true,
      rules: opened.flexible,
      access: (user, path) => realmAccess(opened.paths, asOfNow(user), path),
      asOfNow,
    });
    const endpoint = new SyncEndpoint({
      appId,
      accounts,
      ...(options.redirectTo !== undefined && { redirectTo: options.redirectTo }),
      modes: sync.modes,
      limits,
      logger,
    });
    opened.paths.onChanged((change) => endpoint.review(change));
    accounts.onUserChanged((userId) => endpoint.review({ userId }));
    endpoint.attach(app.server);
    const housekeeping = new Housekeeping({ store, inUse: (path) => endpoint.filesInUse(path), logger });
    await listen(app, host, port);
    // Only now: another server would not have got as far.
    try {
      await writeControl(dataDirectory, { url: localUrl(host, listeningPort()), token: controlToken });
    } catch (error) {
      await app.close();
      throw error;
    }
    const url = address.http();
    logger.info('the object server listens', { url, appId });
    const close = async (): Promise<void> => {
      functions.close();
      await housekeeping.close();
      await endpoint.close();
      await sync.close();
      await app.close();
      // Before the store: whoever opens it next writes a file of its own.
      await removeControl(dataDirectory);
      await store.close();
      opened.paths.close();
      accounts.close();
    };
    let closing: Promise<void> | undefined;
    return {
      url,
      appId,
      port: listeningPort(),
      adminUser: administrator.name,
      ...(administrator.generated && { generatedAdmin: administrator.generated }),
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    rights?.paths.close();
    accounts.close();
    throw error;
  }
}

function emailOptions({ emailPassword }: AuthenticationOptions = {}): EmailAccountsOptions {
  return typeof emailPassword === 'object' ? emailPassword : {};
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw new ServerStartError(`cannot listen on ${host}, port ${port}`, {
      remedy: 'see whether another program uses that port, or choose another host or port',
      cause,
    });
  }
}

function localUrl(host: string, port: number): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function ownVersion(): string {
  const file = findPackageJSON(import.meta.url);
  const description: unknown = file === undefined ? undefined : JSON.parse(readFileSync(file, 'utf8'));
  return typeof description === 'object' && description !== null && 'version' in description
    ? String(description.version)
    : 'unknown';
}
