/** A program that syncs, closes everything and does nothing to end itself. */
import { SyncClient } from '../../../src/client/sync-client.ts';
import { logIn } from '../../../src/client/user.ts';
import { silentLogger } from '../../../src/log.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { createItem, SCHEMA } from '../../store/server/changes.ts';

const [baseUrl = '', directory = ''] = process.argv.slice(2);
const user = await logIn({ baseUrl, credentials: { provider: 'anon-user' } });
const store = openReplicaStore(directory);
const client = new SyncClient({ user, logger: silentLogger });
const replica = store.replica('/r');
replica.write([...SCHEMA, createItem(1)]);
const session = client.open(replica);
await session.uploadCompletion();
await session.downloadCompletion();
await client.close();
store.close();
process.stdout.write('closed\n');
