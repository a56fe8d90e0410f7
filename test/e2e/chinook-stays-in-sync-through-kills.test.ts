/** Chinook on a real PostgreSQL, changed on both sides while each part of the system is killed. */
import { describeChinook } from './chinook-convergence.ts';
import { postgresChinook } from './postgres-chinook.ts';

describeChinook(postgresChinook);
