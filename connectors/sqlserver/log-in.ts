/** Connects and logs in. */
import type { EventEmitter } from 'node:events';
import type { Connection } from 'tedious';

/** Rejects with the driver's error, which then has the number of the server's. */
export async function logIn(connection: Connection, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const number = loginErrorNumber(connection);
  connection.on('connect', (error) => (error ? reject(withNumber(error, number())) : resolve()));
  const abort = (): void => connection.close();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    connection.connect();
    await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** The driver's error of a refused login has only the message; its number comes with an event. */
function loginErrorNumber(connection: Connection): () => number | undefined {
  let first: number | undefined;
  connection.on('errorMessage', (message) => {
    first ??= message.number;
  });
  const emitter: EventEmitter = connection; // the driver does not declare all of its events
  emitter.on('retry', () => {
    first = undefined;
  });
  return () => first;
}

function withNumber(error: Error, number: number | undefined): Error {
  return number === undefined ? error : Object.assign(error, { number });
}
