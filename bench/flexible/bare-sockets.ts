/**
 * What it costs to send a message to each of many sockets when there is nothing else to do: a WebSocket server that
 * knows no realm, in a process of its own. The fan-out is compared with it.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket, WebSocketServer } from 'ws';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = 40;
const PAUSE_MILLISECONDS = 50;

/** Microseconds of processor time that a bare server takes for one message to one of `sockets` sockets. */
export async function bareMicroseconds(sockets: number, messageBytes: number): Promise<number> {
  const server = fork(SELF, ['serve']);
  try {
    const [port] = await once(server, 'message');
    const opened = Array.from({ length: sockets }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${Number(port)}`, { perMessageDeflate: false });
      await once(socket, 'open');
      return socket;
    });
    const clients = await Promise.all(opened);
    server.send(messageBytes);
    const [microseconds] = await once(server, 'message');
    for (const client of clients) client.terminate();
    return Number(microseconds);
  } finally {
    server.kill();
  }
}

async function serve(): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
  const [messageBytes] = await once(process, 'message');
  const message = Buffer.alloc(Number(messageBytes), 'x');
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const socket of server.clients) socket.send(message);
    await sleep(PAUSE_MILLISECONDS);
  }
  const { user, system } = process.cpuUsage(before);
  process.send?.((user + system) / (ROUNDS * server.clients.size));
}

if (process.argv[2] === 'serve' && process.argv[1] === SELF) await serve();
