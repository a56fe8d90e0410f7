/** What a load tells of itself while it runs and when it is done. */

/** Sent for a table when it starts, about every batch while it runs, and once with `state: 'done'`. */
export type LoadProgress = {
  readonly table: string;
  readonly className: string;
  readonly state: 'running' | 'done';
  /** Estimated rows of the table; `undefined` when the database cannot say. */
  readonly estimatedRows: number | undefined;
  /** Rows read so far, including those that an interrupted load had read before. */
  readonly rowsRead: number;
  /** Objects that had to be written because the realm did not hold them already. */
  readonly objectsWritten: number;
};

export type TableReport = {
  readonly table: string;
  readonly className: string;
  readonly rowsRead: number;
  readonly objectsWritten: number;
  readonly seconds: number;
};

export type LoadReport = {
  readonly tables: readonly TableReport[];
  readonly seconds: number;
  /**
   * Everything is durable on the server; false when only the local replica holds it yet (`loadOnline: false`, or the
   * upload took longer than `loaderUploadMaxWaitTime`).
   */
  readonly uploaded: boolean;
};
