/** Carries out what a driver asks of the transaction manager. */
import type { SqlSession } from '../contract.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { ToldState } from './told.ts';
import type { Beginning, TransactionRequest } from './transaction-request.ts';

export class Transactions {
  /** The name under which the transaction was begun; all other names are those of savepoints. */
  #name = '';

  async execute(
    request: TransactionRequest,
    session: SqlSession,
    told: ToldState,
    out: ByteWriter,
  ): Promise<void> {
    switch (request.kind) {
      case 'begin':
        return this.#begin(request, session, told, out);
      case 'save':
        return session.savepoint(request.name);
      case 'commit': {
        const id = session.transaction;
        await session.commit();
        if (session.transaction === undefined && id !== undefined) {
          told.transactionChanged(out, { change: 'committed', id });
        }
        if (request.next !== undefined) this.#begin(request.next, session, told, out);
        return;
      }
      case 'rollback':
        if (request.name !== '' && request.name !== this.#name) return session.rollbackTo(request.name);
        session.rollback();
        told.catchUp(out, session);
        if (request.next !== undefined) this.#begin(request.next, session, told, out);
        return;
    }
  }

  #begin({ isolation, name }: Beginning, session: SqlSession, told: ToldState, out: ByteWriter): void {
    if (session.transaction === undefined) this.#name = name;
    told.transactionChanged(out, { change: 'begun', id: session.begin(isolation) });
  }
}
