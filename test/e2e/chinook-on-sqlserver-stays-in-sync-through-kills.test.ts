/** Chinook on SQL Server, changed on both sides while each part of the system is killed. */
import { describeChinook } from './chinook-convergence.ts';
import { sqlServerChinook } from './sqlserver-chinook.ts';

describeChinook(sqlServerChinook);
