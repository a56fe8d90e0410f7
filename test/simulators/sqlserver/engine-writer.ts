/** Writes rows into an engine with a journal, one transaction each, and says the number of each that is committed. */
import { TRACKED, testServer } from './engine-client.ts';

const [, , directory] = process.argv;
const server = await testServer(directory);
const db = server.connect();
await db.run(TRACKED);
for (let id = 1; ; id++) {
  await db.run(`INSERT item (id, a) VALUES (${id}, N'row')`);
  process.stdout.write(`${id}\n`);
}
