/** Shows a load while it runs: bars that are redrawn in place on a terminal, log lines now and then elsewhere. */
import type { LoadProgress, LoadReport } from '../connector/load/run-load.ts';
import type { Logger } from '../log.ts';
import {
  advanced,
  renderBars,
  renderLine,
  renderReport,
  type TableProgress,
  type Verbs,
} from './progress.ts';

/** Redrawing more often costs time that the load needs, and nobody sees the difference. */
const REDRAW_MILLISECONDS = 80;
/** How often a table that is being loaded is mentioned in a log. */
const LOG_MILLISECONDS = 5_000;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const UPLOADING = 'Waiting until the server holds everything';
const CLEAR_BELOW = '\u001b[0J';

/** The part of a terminal that is needed; `process.stdout` is one. */
export type Screen = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
};

export type ProgressDisplay = {
  readonly update: (progress: LoadProgress) => void;
  /** Ends the bars and shows the closing table. */
  readonly finish: (report: LoadReport) => void;
  /** Ends the bars where they are, after a failure. */
  readonly abandon: () => void;
  /** A logger whose lines appear above the bars instead of in them. */
  readonly above: (logger: Logger) => Logger;
};

/** Bars when `screen` is a terminal, otherwise lines through `logger`. */
export function createProgressDisplay(
  screen: Screen,
  logger: Logger,
  now: () => number = Date.now,
  verbs?: Verbs,
): ProgressDisplay {
  return screen.isTTY === true ? barsOn(screen, now) : linesTo(logger, screen, now, verbs);
}

function barsOn(screen: Screen, now: () => number): ProgressDisplay {
  const tables = new Map<string, TableProgress>();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const erase = (): void => {
    if (drawn > 0) screen.write(`\u001b[${drawn}A\r${CLEAR_BELOW}`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    const lines = renderBars([...tables.values()], now(), (screen.columns ?? DEFAULT_COLUMNS) - 1);
    // What has scrolled off the top could not be erased any more.
    const visible = lines.slice(-((screen.rows ?? DEFAULT_ROWS) - 1));
    screen.write(visible.map((line) => `${line}\n`).join(''));
    drawn = visible.length;
    drawnAt = now();
  };
  return {
    update: (event) => {
      const progress = advanced(tables, event, now());
      if (progress !== undefined) tables.set(progress.table, progress);
      if (event.kind === 'tableDone' || now() - drawnAt >= REDRAW_MILLISECONDS) draw();
      if (event.kind === 'uploading') {
        screen.write(`${UPLOADING}\n`);
        drawn += 1;
      }
    },
    finish: (report) => {
      draw();
      screen.write(`\n${renderReport(report).join('\n')}\n\n`);
      drawn = 0;
    },
    abandon: () => {
      draw();
      drawn = 0;
    },
    above: (logger) => {
      const over =
        (level: keyof Logger): Logger['info'] =>
        (message, fields) => {
          const shown = drawn > 0;
          erase();
          logger[level](message, fields);
          if (shown) draw();
        };
      return {
        error: over('error'),
        warn: over('warn'),
        info: over('info'),
        verbose: over('verbose'),
        debug: over('debug'),
      };
    },
  };
}

function linesTo(logger: Logger, screen: Screen, now: () => number, verbs?: Verbs): ProgressDisplay {
  const tables = new Map<string, TableProgress>();
  const saidAt = new Map<string, number>();
  return {
    update: (event) => {
      if (event.kind === 'uploading') logger.info(UPLOADING);
      const time = now();
      const progress = advanced(tables, event, time);
      if (progress === undefined) return;
      tables.set(progress.table, progress);
      const last = saidAt.get(progress.table) ?? progress.startedAt;
      if (progress.state !== 'done' && time - last < LOG_MILLISECONDS) return;
      saidAt.set(progress.table, time);
      logger.info(renderLine(progress, time, verbs));
    },
    finish: (report) => {
      screen.write(`${renderReport(report).join('\n')}\n`);
    },
    abandon: () => {},
    above: (inner) => inner,
  };
}
