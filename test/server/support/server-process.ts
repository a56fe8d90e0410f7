/** A server as a process of its own, for tests that kill it: prints its address, then serves until it ends. */
import { startServer } from '../../../src/server/start-server.ts';

const [dataDirectory = ''] = process.argv.slice(2);
const server = await startServer({ dataDirectory, port: 0, development: true });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => {
  server.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
