/** An engine whose batches somebody listens to. */
import type { Parameter, ResultPart, SqlEngine, SqlSession } from './contract.ts';

/** `program` is what the client calls itself; `text` a batch, the statement of `sp_executesql`, or the name of a procedure. */
export type Listener = (program: string, text: string) => void;

export function overheard(engine: SqlEngine, listener: Listener): SqlEngine {
  return {
    login: (login) => {
      const session = engine.login(login);
      const heard = new Map<PropertyKey, unknown>([
        [
          'execute',
          (
            batch: string,
            parameters: readonly Parameter[],
            signal: AbortSignal,
            scope?: 'outer' | 'inner',
          ): AsyncIterable<ResultPart> => {
            listener(login.program, batch);
            return session.execute(batch, parameters, signal, scope);
          },
        ],
        [
          'call',
          (
            name: string,
            parameters: readonly Parameter[],
            signal: AbortSignal,
          ): AsyncIterable<ResultPart> => {
            listener(login.program, name);
            return session.call(name, parameters, signal);
          },
        ],
      ]);
      return new Proxy<SqlSession>(session, {
        get: (target, name) => {
          const own = heard.get(name);
          if (own !== undefined) return own;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}
