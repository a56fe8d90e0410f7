/**
 * The base of every error that Isthmus raises on purpose. `code` is stable, documented in docs/errors.md, and safe
 * to match on; the message names the thing that failed and, where somebody can act, `remedy` says how.
 */
export abstract class IsthmusError extends Error {
  abstract readonly code: string;
  readonly remedy: string | undefined;

  constructor(message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(options.remedy === undefined ? message : `${message} — ${options.remedy}`, {
      cause: options.cause,
    });
    this.name = new.target.name;
    this.remedy = options.remedy;
  }
}
