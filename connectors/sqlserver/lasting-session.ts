/** A session for single statements of many callers: opened when first needed, and again when it broke. */
import { Session, type SessionContext } from './session.ts';

export class LastingSession {
  readonly #context: SessionContext;
  /** A batch to begin with. */
  readonly #setup: string | undefined;
  readonly #name: string | undefined;
  #session: Promise<Session> | undefined;

  constructor(context: SessionContext, options: { setup?: string; name?: string } = {}) {
    this.#context = context;
    this.#setup = options.setup;
    this.#name = options.name;
  }

  /** Throws a `SqlServerError` when the database cannot be reached. */
  async open(): Promise<Session> {
    const current = this.#session;
    const opened = await current?.catch(() => undefined);
    if (opened !== undefined && !opened.broken) return opened;
    // Only the first of several callers opens anew; the others find its promise.
    if (this.#session === current) this.#session = this.#begin();
    return this.#session ?? this.open();
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    await session?.close();
  }

  async #begin(): Promise<Session> {
    const session = await Session.open(this.#context, this.#name === undefined ? {} : { name: this.#name });
    if (this.#setup === undefined) return session;
    try {
      await session.batch(this.#setup);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }
}
