import type { SourceDialect } from '../dialect.ts';

/** How far each realm is applied, as SQL itself says. */
export async function appliedCheckpoints(
  dialect: Pick<SourceDialect, 'openWriter'>,
): Promise<ReadonlyMap<string, number>> {
  const writer = await dialect.openWriter();
  try {
    return await writer.checkpoints();
  } finally {
    await writer.close();
  }
}
