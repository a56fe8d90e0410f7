/** NEXT VALUE FOR. */
import { SqlFailure } from '../../contract.ts';
import type { Compiled } from '../../sql/expressions/scope.ts';
import type { Env } from '../executor/environment.ts';
import type { Session } from '../session/session.ts';
import { objectKey } from '../storage/database.ts';

export function nextSequenceValue(session: Session, parts: readonly string[], line: number): Compiled<Env> {
  const database = session.currentDatabase;
  const name = parts.at(-1)!;
  const schema = parts.at(-2) ?? session.access.defaultSchema(database);
  const sequence = database.sequences.get(objectKey(schema, name));
  if (!sequence) throw new SqlFailure(208, `Invalid object name '${parts.join('.')}'.`, { line });
  return {
    type: sequence.type,
    nullable: false,
    evaluate: () => {
      sequence.last = sequence.last === undefined ? sequence.start : sequence.last + sequence.increment;
      return sequence.last;
    },
  };
}
