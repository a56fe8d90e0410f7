/** Writes items without a server, one commit each, and says how many; for tests that kill it. */
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { createItem, SCHEMA, setItem } from '../../store/server/changes.ts';

const [directory = ''] = process.argv.slice(2);
const replica = openReplicaStore(directory).replica('/kept');
replica.write(SCHEMA);
for (let id = 1; ; id++) {
  replica.write([createItem(id), setItem(id, id)]);
  process.stdout.write(`${id}\n`);
}
