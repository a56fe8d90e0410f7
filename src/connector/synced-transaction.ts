/** One transaction that went through the connector, for logs and for the demo's live lines. */
export type ClassChanges = {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
};

export type SyncedTransaction = {
  readonly direction: 'databaseToRealm' | 'realmToDatabase';
  readonly realmPath: string;
  /** Changes by class, or by table when the class is not known. */
  readonly changes: ReadonlyMap<string, ClassChanges>;
  /** From the commit on the one side until it is durable on the other, when both moments are known. */
  readonly milliseconds: number | undefined;
};
