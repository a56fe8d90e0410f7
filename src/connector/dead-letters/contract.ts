/**
 * Dead letters: what could not be brought from one side to the other, kept in the database until somebody has dealt
 * with it (DESIGN §7). A dialect keeps them; what becomes of them is decided in this folder.
 *
 * States: `waiting` → `retried` (it was brought over after all) or `discarded` (somebody decided that it will not be;
 * kept for the record until it is purged). A request to try again is a field of the waiting letter, so that whoever
 * holds the feed answers it, however it came there.
 */
export type LetterState = 'waiting' | 'retried' | 'discarded';

/** `toSql` is a realm's transaction that the database refuses; `toRealm` is a row that no realm value can hold. */
export type LetterDirection = 'toSql' | 'toRealm';

export type ObjectName = { readonly class: string; readonly key: string };

export type LetterReason = {
  readonly message: string;
  readonly sqlState?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
};

/** A statement as it was sent, for people to read: secrets are taken out, and long values are cut. */
export type ShownStatement = { readonly sql: string; readonly values: readonly (string | null)[] };

export type NewLetter = {
  readonly direction: LetterDirection;
  /** Empty when the realm is not known. */
  readonly realmPath: string;
  /** Of the realm's transaction; 0 for rows. */
  readonly sequence: number;
  /** The one at fault first, when it is known. */
  readonly objects: readonly ObjectName[];
  readonly reason: LetterReason;
  /** What `letter-text.ts` makes. */
  readonly payload: string;
  readonly statements: readonly ShownStatement[];
};

export type LetterSummary = Pick<NewLetter, 'direction' | 'realmPath' | 'sequence' | 'objects' | 'reason'> & {
  readonly id: string;
  readonly adapter: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly state: LetterState;
  readonly stateSince: string;
  /** Somebody asked for another attempt that was not made yet. */
  readonly requested: boolean;
  readonly attempts: number;
  /** What came of the last attempt. */
  readonly outcome: string | undefined;
};

export type DeadLetter = LetterSummary & Pick<NewLetter, 'payload' | 'statements'>;

export type LetterAnswer = { readonly state: LetterState; readonly outcome: string };

/** The dead letters of one adapter in one database. */
export interface DeadLetterBox {
  /** Makes what the letters are kept in, when it is missing or of an earlier version. */
  prepare(): Promise<void>;
  /** In the order in which they came, from after `after` on; all states unless given. */
  list(options: {
    readonly states?: readonly LetterState[] | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<readonly LetterSummary[]>;
  read(ids: readonly string[]): Promise<readonly DeadLetter[]>;
  /** Asks for another attempt; returns the ids of those that wait for one now. */
  request(ids: readonly string[] | 'all'): Promise<readonly string[]>;
  /** The oldest letters about which whoever holds the feed has to do something: waiting ones to be tried again, and discarded ones. */
  requested(limit: number): Promise<readonly DeadLetter[]>;
  /** That a letter was discarded has been taken note of. */
  acknowledge(id: string): Promise<void>;
  /** An attempt was made. */
  answer(id: string, answer: LetterAnswer): Promise<void>;
  /** Transactions of a realm that later ones have made good. */
  answerSequences(realmPath: string, sequences: readonly number[], answer: LetterAnswer): Promise<void>;
  /** Waiting letters become discarded ones; returns their ids. */
  discard(ids: readonly string[] | 'all'): Promise<readonly string[]>;
  /** Removes letters that do not wait any more; returns their ids. */
  purge(ids: readonly string[] | 'all'): Promise<readonly string[]>;
  /** Keeps a row that was refused, or what is new about it. `subject` names the row. */
  keepRow(subject: string, letter: NewLetter): Promise<void>;
  /** The row is no longer refused, so that nothing is left to be done about it. */
  removeRow(subject: string): Promise<void>;
}
