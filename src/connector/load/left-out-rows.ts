/** Rows that no realm value can hold: the policy for them while loading, and what becomes of their letters. */
import type { RefusedRows } from '../dead-letters/refused-rows.ts';
import type { SourceDialect } from '../dialect.ts';
import { putsAside } from '../error-policy.ts';
import { ConnectorStoppedError, type DataError } from '../errors.ts';
import type { ConnectorOptions } from '../options.ts';

export class LeftOutRows {
  readonly #options: Pick<ConnectorOptions, 'ignoreSqlErrors' | 'logger'>;
  #count = 0;

  constructor(options: Pick<ConnectorOptions, 'ignoreSqlErrors' | 'logger'>) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** Leaves a row out. Throws `ConnectorStoppedError` where the policy does not allow that. */
  readonly leaveOut = (error: DataError, className?: string): void => {
    const { ignoreSqlErrors: policy, logger } = this.#options;
    // Where the class is not known, one that must not be put aside is enough.
    const classes = className !== undefined ? [className] : typeof policy === 'boolean' ? [] : policy.keys();
    if (!putsAside(policy, classes)) {
      throw new ConnectorStoppedError(`a row cannot be loaded: ${error.message}`, {
        remedy:
          'mend the row or the models and load again: it goes on where it stopped. Or set ignoreSQLerrors to leave such rows out',
        cause: error,
      });
    }
    this.#count += 1;
    logger.error('Left a row out', { reason: error.message });
  };
}

/** Writes the letters of rows that were left out. The adapter does what fails here: they are noted. */
export async function keepRefused(
  refused: RefusedRows,
  dialect: SourceDialect,
  { logger }: Pick<ConnectorOptions, 'logger'>,
): Promise<void> {
  try {
    while (!refused.isFlushed) await refused.flush(dialect.deadLetters());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn('The dead letters of rows that were left out are written when the adapter starts', {
      reason,
    });
  }
}
