/** A program that brings a replica up to date, whatever that takes, and says so; for tests that kill it before. */
import { SyncClient } from '../../../src/client/sync-client.ts';
import { logIn } from '../../../src/client/user.ts';
import { silentLogger } from '../../../src/log.ts';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';

const [baseUrl = '', directory = ''] = process.argv.slice(2);
const user = await logIn({ baseUrl, credentials: { provider: 'anon-user' } });
const store = openReplicaStore(directory);
const client = new SyncClient({
  user,
  logger: {
    ...silentLogger,
    warn: (message) => void process.stdout.write(`${message}\n`),
    info: (message) => void process.stdout.write(`${message}\n`),
  },
});
const session = client.open(store.replica('/r'));
await session.uploadCompletion();
await session.downloadCompletion();
process.stdout.write('up to date\n');
await client.close();
store.close();
