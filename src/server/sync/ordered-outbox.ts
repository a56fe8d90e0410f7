/** Sends messages in the order in which they were made, also when the bodies of some are still being deflated. */
import type { Body, Download } from '../../protocol/messages.ts';
import type { SessionPort } from './mode-session.ts';

export class OrderedOutbox {
  readonly #port: SessionPort;
  #waiting: Promise<void> | undefined;
  #isStopped = false;

  constructor(port: SessionPort) {
    this.#port = port;
  }

  /** At once when nothing waits and the body is there. */
  send(download: Omit<Download, 'body'>, body: Body | Promise<Body>): void {
    if (this.#waiting === undefined && !(body instanceof Promise)) {
      this.#port.send({ ...download, body });
      return;
    }
    this.#enqueue(async () => {
      const message = { ...download, body: await body };
      if (!this.#isStopped) this.#port.send(message);
    });
  }

  /** Runs something that sends in its turn. */
  after(send: () => void): void {
    if (this.#waiting === undefined) send();
    else
      this.#enqueue(async () => {
        if (!this.#isStopped) send();
      });
  }

  /** Resolves when everything is with the socket; undefined when it is. */
  drained(): Promise<void> | undefined {
    return this.#waiting;
  }

  stop(): void {
    this.#isStopped = true;
  }

  #enqueue(work: () => Promise<void>): void {
    const before = this.#waiting ?? Promise.resolve();
    const waiting = before
      .then(work)
      .catch((error: unknown) => this.#port.failed(error))
      .then(() => {
        if (this.#waiting === waiting) this.#waiting = undefined;
      });
    this.#waiting = waiting;
  }
}
