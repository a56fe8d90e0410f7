/**
 * A server as a process of its own, for tests that kill it: prints its address, then serves until it ends. Arguments: the
 * directory of its data, and more options as JSON.
 */
import { startServer } from '../../../src/server/start-server.ts';

const [dataDirectory = '', more = '{}'] = process.argv.slice(2);
const server = await startServer({ dataDirectory, port: 0, development: true, ...JSON.parse(more) });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => {
  server.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
