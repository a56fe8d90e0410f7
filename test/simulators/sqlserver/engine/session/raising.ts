/** THROW and RAISERROR. */
import { type Datum, SqlFailure } from '../../contract.ts';
import type { ControlStatement, Expression } from '../../sql/ast.ts';
import type { Batch, Parts } from './batch.ts';
import { uncaught } from './caught.ts';
import type { Session } from './session.ts';

type ThrowError = NonNullable<Extract<ControlStatement, { readonly kind: 'throw' }>['error']>;

export async function thrown(batch: Batch, error: ThrowError, line: number): Promise<SqlFailure> {
  const number = Number((await batch.evaluate(error.number)).value ?? 0);
  const message = String((await batch.evaluate(error.message)).value ?? '');
  const state = Number((await batch.evaluate(error.state)).value ?? 1);
  if (number < 50000 || number > 2147483647) {
    return new SqlFailure(
      35100,
      `Error number ${number} in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647.`,
      { line, severity: 16 },
    );
  }
  return new SqlFailure(number, message, { severity: 16, state, line });
}

/** THROW without arguments: what the CATCH block around it caught. */
export function rethrown(session: Session, line: number): SqlFailure {
  const caught = session.caught.at(-1);
  if (!caught) return uncaught(line);
  return new SqlFailure(caught.number, caught.message, {
    severity: caught.severity,
    state: caught.state,
    line: caught.line,
  });
}

/** RAISERROR: an error from severity 11, a message below. */
export async function* raise(
  batch: Batch,
  statement: Extract<ControlStatement, { readonly kind: 'raiserror' }>,
): Parts<void> {
  const { line } = statement;
  const text = (await batch.evaluate(statement.message)).value;
  const severity = Number((await batch.evaluate(statement.severity)).value ?? 0);
  const state = Math.max(0, Number((await batch.evaluate(statement.state)).value ?? 1));
  const values: Datum[] = [];
  for (const argument of statement.arguments)
    values.push((await batch.evaluate(argument as Expression)).value);
  if (typeof text === 'bigint') {
    throw new SqlFailure(
      18054,
      `Error ${text}, severity ${severity}, state ${state} was raised, but no message with that error number was found in sys.messages.`,
      { severity: 16, line },
    );
  }
  const message = substitute(String(text ?? ''), values);
  if (severity > 10) throw new SqlFailure(50000, message, { severity, state, line });
  yield { kind: 'message', message: { number: severity === 0 ? 0 : 50000, severity, state, message, line } };
}

/** `%s`, `%d` and their kin. */
function substitute(text: string, values: readonly Datum[]): string {
  let next = 0;
  return text.replace(
    /%(?:%|[-+0 #]*(\d*)(?:\.\d+)?(?:l|I64)?([sdiuxXo]))/g,
    (all, width: string, kind: string) => {
      if (all === '%%') return '%';
      const value = values[next++];
      if (value === undefined || value === null) return '(null)';
      const made = kind === 'x' || kind === 'X' ? BigInt(String(value)).toString(16) : String(value);
      return made.padStart(Number(width || 0));
    },
  );
}
