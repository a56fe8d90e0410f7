/** The writer that an adapter works with (`maxRetriesOnTransientErrors`, `connectionRetryInterval`). */
import { RetryingWriter } from '../../../src/connector/apply/retrying-writer.ts';
import { Session, type SessionContext } from '../session.ts';
import { applyError } from './apply-error.ts';
import { SqlServerWriter } from './sqlserver-writer.ts';

export function retryingWriter(context: SessionContext, adapterName: string): RetryingWriter {
  const { times, delayMilliseconds } = context.connection.retry;
  return new RetryingWriter({
    connect: async () => {
      try {
        return new SqlServerWriter(await Session.open(context, { name: 'isthmus writer' }), adapterName);
      } catch (cause) {
        throw applyError('connecting', undefined, cause);
      }
    },
    retries: times,
    delayMilliseconds,
    logger: context.logger,
  });
}
