/** Whether the object server answers, lets the connector's user in, and lists the realms that the connector is to watch. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ADMIN_REALM_PATH, RealmDiscovery } from '../../adapter/realm-discovery.ts';
import { queueMergedTransactions } from '../../adapter/transaction-queueing.ts';
import { ServerUnreachableError } from '../../client/client-errors.ts';
import { SyncClient } from '../../client/sync-client.ts';
import { httpUrl, type User } from '../../client/user.ts';
import { silentLogger } from '../../log.ts';
import { openReplicaStore } from '../../store/replica/open-replica-store.ts';
import { type Finding, fine, problem, warning } from '../finding.ts';
import type { ConnectorOptions } from '../options.ts';
import { clockFinding } from './clock-findings.ts';
import { attempt } from './examination.ts';

const PATIENCE_MILLISECONDS = 20_000;
/** The Date header counts whole seconds. */
const DATE_HEADER_MILLISECONDS = 1_000;
/** Realms named in the report; their number is told in any case. */
const NAMED_REALMS = 5;

const infoSchema = z.object({ version: z.string(), appId: z.string(), realms: z.number() });

type Options = Pick<ConnectorOptions, 'serverUrl' | 'appId' | 'realmRegex' | 'fixedRealmPath'>;

/** `logIn` as the connector does it. */
export async function objectServerFindings(
  options: Options,
  logIn: () => Promise<User>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MILLISECONDS)]);
  const base = httpUrl(options.serverUrl);
  const reached = await attempt('server/reachable', () => reachable(base, options.appId, limited));
  if (reached.some(({ level }) => level === 'error')) return reached;
  let user: User | undefined;
  const loggedIn = await attempt('server/login', async () => {
    user = await logIn();
    return [fine('server/login', `the user of realmConfig can log in, as ${user.id}`)];
  });
  if (user === undefined) return [...reached, ...loggedIn];
  const known = user;
  return [
    ...reached,
    ...loggedIn,
    ...(await attempt('server/rights', () => rights(base, known, limited))),
    ...(await attempt('server/realms', () => realms(options, known, limited))),
  ];
}

async function reachable(base: string, appId: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const url = `${base}/api/client/v2.0/app/${encodeURIComponent(appId)}/location`;
  const asked = Date.now();
  const response = await fetch(url, { signal }).catch((cause: unknown) => {
    throw new ServerUnreachableError(`the object server at ${base} cannot be reached`, {
      remedy: 'check realmConfig.server, and that isthmus server runs',
      cause,
    });
  });
  await response.body?.cancel();
  const between = (asked + Date.now()) / 2;
  const uncertainty = (Date.now() - asked) / 2 + DATE_HEADER_MILLISECONDS;
  const date = Date.parse(response.headers.get('date') ?? '');
  const clock = Number.isNaN(date) ? [] : [clockFinding('object server', date + 500 - between, uncertainty)];
  if (response.ok)
    return [fine('server/reachable', `the object server at ${base} has the app ${appId}`), ...clock];
  return [
    problem(
      'server/reachable',
      `the server at ${base} answers for the app ${appId} with status ${response.status}`,
      'check realmConfig.server and realmConfig.appId',
    ),
    ...clock,
  ];
}

async function rights(base: string, user: User, signal: AbortSignal): Promise<readonly Finding[]> {
  const headers = { authorization: `Bearer ${user.accessToken}` };
  const response = await fetch(`${base}/api/admin/v1/info`, { headers, signal });
  if (response.ok) {
    const { version, realms } = infoSchema.parse(await response.json());
    return [
      fine(
        'server/rights',
        `the user is an administrator; the server is version ${version} with ${realms} realms`,
      ),
    ];
  }
  await response.body?.cancel();
  return [
    problem(
      'server/rights',
      `the user of realmConfig is no administrator (the server answers ${response.status}): it cannot see which realms there are`,
      'run isthmus user promote USER, or name an administrator in realmConfig.user',
    ),
  ];
}

/** As the adapter finds them, in a replica of its own. */
async function realms(
  { realmRegex, fixedRealmPath }: Options,
  user: User,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const directory = await mkdtemp(join(tmpdir(), 'isthmus-doctor-'));
  const store = openReplicaStore(directory, { observer: queueMergedTransactions });
  const client = new SyncClient({ user, logger: silentLogger });
  try {
    const found: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const discovery = new RealmDiscovery(client, store, reject);
      discovery.onRealm((path) => found.push(path));
      discovery
        .complete(signal)
        .then(() => discovery.close())
        .then(resolve, reject);
    });
    return [
      matched(
        found.filter((path) => path !== ADMIN_REALM_PATH && realmRegex.test(path)),
        fixedRealmPath,
      ),
    ];
  } finally {
    await client.close();
    store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function matched(paths: readonly string[], fixed: string | undefined): Finding {
  const check = 'server/realms';
  if (paths.length > 0) {
    const named = paths.slice(0, NAMED_REALMS).join(', ');
    const more = paths.length > NAMED_REALMS ? ', …' : '';
    return fine(check, `realmRegex matches ${paths.length} realms of the server: ${named}${more}`);
  }
  if (fixed !== undefined)
    return fine(check, `the realm ${fixed} will be made when something is written to it`);
  return warning(
    check,
    'realmRegex matches no realm of the server yet',
    'compare it with the paths of the realms; they begin with a slash',
  );
}
