/** `isthmus prepare-database`: makes a SQL Server database ready to be followed, or shows how. */
import {
  preparationScript,
  preparationSteps,
  runPreparation,
} from '../../../connectors/sqlserver/prepare-database.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../config.ts';
import type { CommandContext } from './context.ts';

export type PrepareArguments = {
  readonly config?: string;
  /** Show the script instead of running it. */
  readonly print?: boolean;
  /** The login that the connector will use. */
  readonly login?: string;
};

export async function runPrepareDatabase(
  { config, print = false, login }: PrepareArguments,
  { say, signal }: CommandContext,
): Promise<void> {
  const connector = (await loadConfig(config)).connector();
  if (connector.product !== 'SQL Server') {
    throw new ConfigError('The command line', [
      {
        path: 'prepare-database',
        message: `is for SQL Server, and the configuration is for ${connector.product}, whose start makes what it needs`,
      },
    ]);
  }
  const steps = await preparationSteps(connector.options, login);
  if (print) {
    for (const line of preparationScript(steps)) say(line);
    return;
  }
  if (steps.length === 0) say(`The database ${connector.database} is ready; there was nothing to do.`);
  await runPreparation(connector.options, steps, ({ statement }) => say(`${statement};`), signal);
  if (steps.length > 0) say(`The database ${connector.database} is ready.`);
}
