/** Ports of the demo: the same at every start, unless somebody else has them. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The preferred port when it is free, otherwise any free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await tryListen(preferred)) ?? (await tryListen(0)) ?? preferred;
}

async function tryListen(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch {
    return undefined; // in use, or not for us: another one is taken
  } finally {
    server.close();
  }
}
