/** The device id that clients repeat: native SDKs send a text, realm-web extended JSON (spec/app-services-http.md §4.2). */
import { z } from 'zod';

const objectId = z.object({ $oid: z.string() });

/** Anything else is no reason to refuse a login: the device gets a new id. */
export const deviceIdField = z
  .unknown()
  .transform((sent): string | undefined =>
    typeof sent === 'string' ? sent : objectId.safeParse(sent).data?.$oid,
  )
  .optional();
