/**
 * Where and when a changeset was made. Every instruction of the changeset inherits the stamp, and it alone decides
 * which of two conflicting instructions is the newer one (spec/merge-rules.md §1).
 */
export type OriginStamp = {
  /** Milliseconds since 2015-01-01T00:00:00Z. */
  readonly timestamp: number;
  /** Never 0: an origin stored as 0 is replaced by the peer's own ident before merging. */
  readonly fileIdent: number;
};

export function isOlder(a: OriginStamp, b: OriginStamp): boolean {
  return a.timestamp === b.timestamp ? a.fileIdent < b.fileIdent : a.timestamp < b.timestamp;
}
