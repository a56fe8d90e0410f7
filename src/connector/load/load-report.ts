/** What a load tells while it runs, and in the end. */
export type LoadProgress =
  | { readonly kind: 'table'; readonly table: string; readonly estimatedRows: number }
  | { readonly kind: 'rows'; readonly table: string; readonly rows: number }
  | {
      readonly kind: 'tableDone';
      readonly table: string;
      readonly rowsRead: number;
      readonly objectsWritten: number;
      readonly seconds: number;
    }
  | { readonly kind: 'uploading' };

export type LoadReport = {
  readonly tables: readonly {
    readonly table: string;
    readonly rowsRead: number;
    readonly objectsWritten: number;
    readonly seconds: number;
  }[];
  readonly rowsLeftOut: number;
  /** False when the upload did not end in the configured time; the adapter will finish it. */
  readonly uploaded: boolean;
  readonly seconds: number;
};
