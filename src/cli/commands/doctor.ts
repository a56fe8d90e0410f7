/** `isthmus doctor`: examines everything that the connector stands on, and says what to mend. */
import { ConfigError } from '../../config/config-error.ts';
import type { Examined } from '../../connector/doctor/examination.ts';
import { type Finding, fine, problem } from '../../connector/finding.ts';
import type { ConfiguredConnector } from '../../connector/runtime/configured-connector.ts';
import { type Configuration, loadConfig } from '../config.ts';
import { ErrorsFoundError } from '../doctor/errors-found-error.ts';
import { FindingWriter } from '../doctor/finding-writer.ts';
import type { CommandContext } from './context.ts';

export type DoctorArguments = { readonly config?: string; readonly json?: boolean };

/** Throws `ErrorsFoundError` after everything was examined, when there were errors. */
export async function runDoctor(args: DoctorArguments, context: CommandContext): Promise<void> {
  const writer = new FindingWriter({ json: args.json === true, say: context.say });
  const { findings, connector, configuration } = await readConfiguration(args.config);
  writer.show({ subject: 'the configuration', findings });
  if (connector !== undefined && configuration !== undefined) {
    for await (const examined of connector.examine(context.signal))
      writer.show(withoutOwnServer(examined, connector, configuration));
  }
  writer.end();
  context.signal.throwIfAborted();
  if (writer.counts.error > 0) throw new ErrorsFoundError(writer.counts.error);
}

type Read = {
  readonly findings: readonly Finding[];
  readonly configuration?: Configuration;
  readonly connector?: ConfiguredConnector;
};

async function readConfiguration(path: string | undefined): Promise<Read> {
  const check = 'configuration';
  try {
    const configuration = await loadConfig(path);
    const connector = configuration.connector();
    return {
      findings: [
        fine(
          check,
          `${configuration.file ?? 'the environment'} describes adapter ${connector.engine.adapterName}`,
        ),
      ],
      configuration,
      connector,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      findings: error.problems.map(({ path: place, message }) =>
        problem(check, `${place === '' ? 'the whole' : place}: ${message}`, 'see docs/configuration.md'),
      ),
    };
  }
}

/** The server that `isthmus start` runs need not run yet. */
function withoutOwnServer(
  examined: Examined,
  { engine }: ConfiguredConnector,
  { server }: Configuration,
): Examined {
  const url = new URL(engine.serverUrl.replace(/^realm/, 'http').replace(/^ws/, 'http'));
  const own =
    Number(url.port) === server.port &&
    ['127.0.0.1', 'localhost', '[::1]', server.host].includes(url.hostname);
  if (!own) return examined;
  return {
    ...examined,
    findings: examined.findings.map((finding) =>
      finding.error?.code === 'server-unreachable'
        ? {
            ...finding,
            level: 'warning',
            remedy: 'isthmus start runs that server itself; with isthmus adapter, start isthmus server first',
          }
        : finding,
    ),
  };
}
