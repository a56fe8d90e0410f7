/** A program that syncs the flexible realm and says each step of its subscriptions; for tests that kill it. */
import { openFlexibleRealm } from '../../../src/client/realm/open-flexible-realm.ts';
import { SyncClient } from '../../../src/client/sync-client.ts';
import { logIn } from '../../../src/client/user.ts';
import { silentLogger } from '../../../src/log.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { ADMIN } from '../../server/support/test-server.ts';
import { ITEM } from '../flexible/item.ts';

const [baseUrl = '', directory = ''] = process.argv.slice(2);
const credentials = { provider: 'local-userpass', username: ADMIN.user, password: ADMIN.password } as const;
const user = await logIn({ baseUrl, credentials });
const store = openReplicaStore(directory);
const client = new SyncClient({ user, logger: silentLogger });
const replica = store.flexibleReplica();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
replica.onCommit(({ subscriptions }) => {
  if (subscriptions === true) say(`${replica.flexible.latest.version} ${replica.flexible.latest.state}`);
});
const { realm, session, close } = openFlexibleRealm({
  client,
  replica,
  schema: [ITEM],
  initialSubscriptions: { update: (subs, opened) => subs.add(opened.objects('Item').filtered('n > 0')) },
  onProgress: (estimate) => say(`progress ${estimate}`),
});
say('opened');
realm.write(() => realm.create('Item', { _id: Date.now(), n: 1, text: 'made here' }));
await realm.subscriptions.waitForSynchronization();
await session.uploadCompletion();
await session.downloadCompletion();
say('up to date');
await close();
await client.close();
store.close();
