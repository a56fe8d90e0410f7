/** What slot and publication of an adapter are called. */
import { createHash } from 'node:crypto';

/** NAMEDATALEN − 1, for slots as for all names. */
const LONGEST_NAME = 63;
const DIGEST_LENGTH = 10;

/**
 * Slot and publication share this name, made from the adapter's. Slots take only small letters, digits and `_`; what is
 * lost or cut for that is told apart by a digest, because two adapters must never share a slot.
 */
export function feedName(adapterName: string): string {
  const plain = adapterName.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  const name = plain.startsWith('isthmus_') ? plain : `isthmus_${plain}`;
  if (plain === adapterName && name.length <= LONGEST_NAME) return name;
  const digest = createHash('sha256').update(adapterName).digest('hex').slice(0, DIGEST_LENGTH);
  return `${name.slice(0, LONGEST_NAME - DIGEST_LENGTH - 1)}_${digest}`;
}
