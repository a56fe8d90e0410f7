/**
 * Writes without pause, each time an item to two replicas and its number as a mark, in one transaction, and reports
 * the number when it is durable, until it is killed. Usage: node writing-process.ts <directory>
 */
import { writeSync } from 'node:fs';
import { openReplicaStore } from '../../../src/store/replica/open-replica-store.ts';
import { createItem, SCHEMA, setItem } from '../server/changes.ts';

const store = openReplicaStore(process.argv[2] ?? '');
const replicas = [store.replica('/a'), store.replica('/b')];
for (const replica of replicas) if (replica.schema.size === 0) replica.write(SCHEMA);

for (let number = Number(store.mark('number') ?? 0) + 1; ; number++) {
  store.transaction(() => {
    for (const replica of replicas) {
      const items = Array.from({ length: 20 }, (_, i) => number * 20 + i);
      replica.write(items.flatMap((id) => [createItem(id), setItem(id, number)]));
    }
    store.setMark('number', String(number));
  });
  writeSync(1, `${number}\n`);
}
