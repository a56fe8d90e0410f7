/** What the feed needs of the connection that it has for itself. */
import type { Session } from '../session.ts';

export type FeedSession = Pick<
  Session,
  'query' | 'execute' | 'rows' | 'begin' | 'commit' | 'rollback' | 'close' | 'broken'
>;
