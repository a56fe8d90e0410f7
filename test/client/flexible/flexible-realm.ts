/** A flexible realm of class `Item {_id: int, n: int, text: string?, other: Item?}` that closes when the test ends. */
import { onTestFinished } from 'vitest';
import {
  type FlexibleRealm,
  type FlexibleRealmOptions,
  openFlexibleRealm,
} from '../../../src/client/realm/open-flexible-realm.ts';
import { connectClient, type TestClient } from '../support/client.ts';
import { ITEM } from './item.ts';

export { ITEM } from './item.ts';

export type Item = { _id: number; n: number; text: string | null; other: Item | null };

export async function openFlexible(
  url: string,
  options: Partial<FlexibleRealmOptions> &
    Omit<NonNullable<Parameters<typeof connectClient>[1]>, 'store'> = {},
): Promise<FlexibleRealm & TestClient> {
  const { client, store } = await connectClient(url, options);
  const flexible = openFlexibleRealm({
    schema: [ITEM],
    ...options,
    client,
    replica: store.flexibleReplica(),
  });
  onTestFinished(() => flexible.close());
  return { ...flexible, client, store };
}

export function idsOf({ realm }: Pick<FlexibleRealm, 'realm'>): number[] {
  return realm.objects<Item>('Item').map(({ _id }) => _id);
}
