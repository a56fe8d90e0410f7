/** Which objects waiting dead letters are about: that they differ is known and accepted. */
import type { SourceDialect } from '../dialect.ts';
import type { Suspects } from './suspects.ts';

const PAGE = 500;

export async function indexDeadLetters(
  dialect: Pick<SourceDialect, 'deadLetters'>,
  suspects: Suspects,
): Promise<void> {
  const box = dialect.deadLetters();
  let after: string | undefined;
  for (;;) {
    const letters = await box.list({ states: ['waiting'], after, limit: PAGE });
    suspects.together(() => {
      for (const { id, objects, realmPath, reason } of letters) {
        for (const object of objects) {
          suspects.addDeadLetter(object, realmPath, `dead letter ${id}: ${reason.message}`);
        }
      }
    });
    after = letters.at(-1)?.id;
    if (letters.length < PAGE) return;
  }
}
