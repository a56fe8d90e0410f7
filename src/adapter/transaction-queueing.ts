/** Makes a replica store queue what the Adapter API hands on. */
import type { TransactionObserver } from '../store/replica/contract.ts';
import { cookInstructions, encodeMerged } from './cook.ts';

/** Queues every merged transaction that says something about objects, properties or classes. */
export const queueMergedTransactions: TransactionObserver = (instructions, state) => {
  const merged = cookInstructions(instructions, state);
  return merged.length === 0 ? undefined : encodeMerged(merged);
};
