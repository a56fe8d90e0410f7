/** A session for single statements of many callers: opened when first needed, and again when it broke. */
import { Session, type SessionContext } from './session.ts';

export class LastingSession {
  readonly #context: SessionContext;
  /** Statements to begin with. */
  readonly #setup: string | undefined;
  #session: Promise<Session> | undefined;

  constructor(context: SessionContext, setup?: string) {
    this.#context = context;
    this.#setup = setup;
  }

  /** Throws a `PostgresError` when the database cannot be reached. */
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
    const session = await Session.open(this.#context);
    if (this.#setup !== undefined) await session.script(this.#setup);
    return session;
  }
}
