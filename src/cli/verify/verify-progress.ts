/** How far a verification is: bars or lines for the tables, lines for the rest. */
import type { VerifyProgress } from '../../connector/verify/run-verify.ts';
import type { Logger } from '../../log.ts';
import type { ProgressDisplay } from '../progress-display.ts';

/** How often the log says that it is being waited for differences to go. */
const LOG_MILLISECONDS = 3_000;

export type VerifyProgressDisplay = {
  readonly update: (progress: VerifyProgress) => void;
  /** Leaves the bars as they are; nothing is drawn after it. */
  readonly end: () => void;
};

export function verifyProgress(
  display: ProgressDisplay,
  logger: Logger,
  now: () => number = Date.now,
): VerifyProgressDisplay {
  let isOver = false;
  let begun = false;
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    update: (progress) => {
      if (isOver) return;
      switch (progress.kind) {
        case 'downloading':
          logger.info('Fetching the realms from the server');
          return;
        case 'settling':
          if (progress.open === 0 || now() - saidAt < LOG_MILLISECONDS) return;
          saidAt = now();
          logger.info('Looking again at what differs, to tell it from changes under way', {
            differences: progress.open,
          });
          return;
        default:
          begun = true;
          display.update(progress);
      }
    },
    end: () => {
      if (begun && !isOver) display.abandon();
      isOver = true;
    },
  };
}
