/**
 * The simulator as a process of its own:
 *
 *     node program.ts [--directory <where it keeps its databases>] [--host 127.0.0.1] [--port 1433]
 *
 * It prints one line of JSON (`host`, `port`, `user`, `password`, `url`) when it is ready and ends on SIGTERM or SIGINT.
 * After a SIGKILL, the next start in the same directory finds everything that was committed.
 */
import { parseArgs } from 'node:util';
import { startSqlServerSimulator } from './simulator.ts';

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    host: { type: 'string' },
    port: { type: 'string' },
  },
});

const simulator = await startSqlServerSimulator({
  ...(values.directory === undefined ? {} : { directory: values.directory }),
  ...(values.host === undefined ? {} : { host: values.host }),
  ...(values.port === undefined ? {} : { port: portOf(values.port) }),
});
const { host, port, user, password } = simulator;
process.stdout.write(`${JSON.stringify({ host, port, user, password, url: simulator.url() })}\n`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    simulator.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`"${text}" is no port`);
  return port;
}
