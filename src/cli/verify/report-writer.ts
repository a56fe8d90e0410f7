/** Says what a verification finds, as text or as lines of JSON. */
import type { Difference } from '../../connector/verify/difference.ts';
import type { NotRepaired, RepairDirection } from '../../connector/verify/repair.ts';
import type { VerifyReport } from '../../connector/verify/run-verify.ts';
import { renderDifference, renderNotes, renderPlan, renderSummary } from './report-text.ts';

export type ReportWriter = {
  readonly difference: (difference: Difference) => void;
  /** The numbers; said once, however often it is called. */
  readonly found: (report: VerifyReport) => void;
  readonly wouldRepair: (report: VerifyReport, direction: RepairDirection) => void;
  readonly notRepaired: (failure: NotRepaired) => void;
  readonly repaired: (report: VerifyReport) => void;
};

type WriterOptions = {
  readonly json: boolean;
  /** Differences listed for each class. */
  readonly limit: number;
  readonly say: (line: string) => void;
};

export function createReportWriter(options: WriterOptions): ReportWriter {
  return options.json ? jsonWriter(options) : textWriter(options);
}

/** A line as soon as there is something to say. */
function jsonWriter({ say }: WriterOptions): ReportWriter {
  const line = (type: string, content: object): void => say(JSON.stringify({ type, ...content }));
  let told = false;
  return {
    difference: (difference) => line('difference', difference),
    found: ({ classes, classesLeftOut, realmsLeftOut, standing, explained, changing, seconds }) => {
      if (told) return;
      told = true;
      for (const report of classes) line('class', report);
      for (const [className, reason] of classesLeftOut) line('classLeftOut', { className, reason });
      for (const [path, reason] of realmsLeftOut) line('realmLeftOut', { path, reason });
      line('summary', { standing, explained, changing, seconds });
    },
    wouldRepair: (report, direction) =>
      line('wouldRepair', { direction, changes: renderPlan(report, direction) }),
    notRepaired: (failure) => line('notRepaired', failure),
    repaired: ({ repair }) => {
      if (repair !== undefined) line('repair', repair);
    },
  };
}

/** Holds back the differences that it lists until the numbers are there. */
function textWriter({ limit, say }: WriterOptions): ReportWriter {
  const listed = new Map<string, { readonly lines: string[]; differences: number }>();
  let told = false;
  let failures = 0;
  return {
    difference: (difference) => {
      const known = listed.get(difference.className) ?? { lines: [], differences: 0 };
      listed.set(difference.className, known);
      known.differences += 1;
      if (known.differences <= limit) known.lines.push(...renderDifference(difference));
    },
    found: (report) => {
      if (told) return;
      told = true;
      say('');
      for (const { lines, differences } of listed.values()) {
        for (const line of lines) say(line);
        if (differences > limit) say(`… and ${differences - limit} more of this class (--limit, --json)`);
        say('');
      }
      for (const line of renderSummary(report)) say(line);
      say('');
      for (const note of renderNotes(report)) say(note);
      if (report.standing === 0) {
        say(report.changing === 0 ? 'Tables and realms agree.' : 'No difference stands.');
      }
    },
    wouldRepair: (report, direction) => {
      const changes = renderPlan(report, direction);
      say(`Would repair: ${changes.join(', ')}. Nothing was changed.`);
    },
    notRepaired: ({ className, key, reason }) => {
      failures += 1;
      if (failures <= limit) say(`Not repaired: ${className} ${key}: ${reason}`);
    },
    repaired: ({ repair }) => {
      if (repair === undefined) return;
      if (failures > limit) say(`… and ${failures - limit} more that were not repaired`);
      say(`${repair.repaired} repaired, ${repair.notRepaired} not.`);
    },
  };
}
