/** A view in the form that is kept with a client file. */
import { z } from 'zod';

const fields = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('except'), fields: z.array(z.string()).readonly() }),
  z.object({ kind: z.literal('only'), fields: z.array(z.string()).readonly() }),
]);
const description = z.object({
  subscribed: z.array(z.string()),
  classes: z.array(z.object({ table: z.string(), predicates: z.array(z.string()), fields })),
});

export type ViewDescription = z.infer<typeof description>;

/** Throws when the text is no description. */
export function parseDescription(text: string): ViewDescription {
  return description.parse(JSON.parse(text));
}
