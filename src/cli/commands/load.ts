/** `isthmus load`: brings the tables into the realms. */
import type { LoadRequest } from '../../connector/load/load-choice.ts';
import type { LoadReport } from '../../connector/load/run-load.ts';
import type { ConfiguredConnector } from '../../connector/runtime/configured-connector.ts';
import { loadDatabase } from '../../connector/runtime/run-connector.ts';
import { loadConfig } from '../config.ts';
import { createProgressDisplay } from '../progress-display.ts';
import type { CommandContext } from './context.ts';

export type LoadArguments = {
  readonly config?: string;
  /** Make the change feed anew, and compare. */
  readonly resume?: boolean;
  /** Names of classes, separated by commas. */
  readonly only?: string;
  /** All tables, also when some were never loaded. */
  readonly compare?: boolean;
};

export async function runLoad(
  { config, resume = false, only, compare = false }: LoadArguments,
  context: CommandContext,
): Promise<void> {
  const connector = (await loadConfig(config)).connector();
  const report = await loadWithProgress(connector, context, {
    resume,
    compare,
    ...(only === undefined ? {} : { only: only.split(',').map((name) => name.trim()) }),
  });
  if (!report.uploaded) {
    context.say('The server does not hold everything yet; the adapter uploads the rest when it runs.');
  }
}

/** Loads with bars on a terminal and log lines elsewhere, and shows the closing table. */
export async function loadWithProgress(
  connector: ConfiguredConnector,
  context: CommandContext,
  request: LoadRequest & { readonly resume?: boolean } = {},
): Promise<LoadReport> {
  const display = createProgressDisplay(context.screen, connector.engine.logger);
  const engine = { ...connector.engine, logger: display.above(connector.engine.logger) };
  try {
    const hooks = { onProgress: display.update, signal: context.signal, ...request };
    const report = await loadDatabase({ ...connector, engine }, hooks);
    display.finish(report);
    if (report.rowsLeftOut > 0) {
      context.say(
        `${report.rowsLeftOut} rows were left out because no realm value can hold them; see the log.`,
      );
    }
    return report;
  } catch (error) {
    display.abandon();
    throw error;
  }
}
