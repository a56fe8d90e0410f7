/** What a server keeps in its data directory, and under which app id when none is given. */

export const ACCOUNTS_FILE = 'accounts.sqlite';
export const REALMS_DIRECTORY = 'realms';
export const DEFAULT_APP_ID = 'isthmus';
