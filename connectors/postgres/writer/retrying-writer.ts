/** The writer that an adapter works with (`retryQuery` of postgresConfig). */
import { RetryingWriter } from '../../../src/connector/apply/retrying-writer.ts';
import { Session, type SessionContext } from '../session.ts';
import { applyError, PostgresWriter } from './postgres-writer.ts';

export function retryingWriter(context: SessionContext, adapterName: string): RetryingWriter {
  const { numberOfRetries, delayInMilliseconds } = context.connection.retryQuery;
  return new RetryingWriter({
    connect: async () => {
      try {
        return new PostgresWriter(await Session.open(context, { name: 'isthmus writer' }), adapterName);
      } catch (cause) {
        throw applyError('connecting', undefined, cause);
      }
    },
    retries: numberOfRetries,
    delayMilliseconds: delayInMilliseconds,
    logger: context.logger,
  });
}
