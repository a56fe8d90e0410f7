/** Shows findings as they come: for people below their subject, for programs as lines of JSON. */
import { redactText } from '../../config/secrets.ts';
import type { Examined } from '../../connector/doctor/examination.ts';
import type { Finding, FindingLevel } from '../../connector/finding.ts';

const LEVEL_WIDTH = 'warning'.length;
const INDENT = ' '.repeat(LEVEL_WIDTH + 4);

export type Counts = Readonly<Record<FindingLevel, number>>;

export class FindingWriter {
  readonly #json: boolean;
  readonly #say: (line: string) => void;
  readonly #counts: Record<FindingLevel, number> = { ok: 0, warning: 0, error: 0 };

  constructor(options: { readonly json: boolean; readonly say: (line: string) => void }) {
    this.#json = options.json;
    this.#say = options.say;
  }

  get counts(): Counts {
    return this.#counts;
  }

  show({ subject, findings }: Examined): void {
    if (findings.length === 0) return;
    if (!this.#json) this.#say(`${subject.charAt(0).toUpperCase()}${subject.slice(1)}`);
    for (const finding of findings) {
      this.#counts[finding.level] += 1;
      if (this.#json) this.#say(JSON.stringify(asJson(subject, finding)));
      else for (const line of asText(finding)) this.#say(line);
    }
  }

  end(): void {
    const { ok, warning, error } = this.#counts;
    this.#say(
      this.#json
        ? JSON.stringify({ summary: this.#counts })
        : `${ok} ok, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${error} ${error === 1 ? 'error' : 'errors'}`,
    );
  }
}

function asJson(subject: string, { check, level, message, remedy }: Finding): Record<string, string> {
  return {
    subject,
    check,
    level,
    message: redactText(message),
    ...(remedy === undefined ? {} : { remedy: redactText(remedy) }),
  };
}

function asText({ check, level, message, remedy }: Finding): string[] {
  const shown = (text: string): string => redactText(text).replaceAll('\n', `\n${INDENT}`);
  const name = level === 'ok' ? '' : ` [${check}]`;
  return [
    `  ${level.padEnd(LEVEL_WIDTH)}  ${shown(message)}${name}`,
    ...(remedy === undefined || level === 'ok' ? [] : [`${INDENT}→ ${shown(remedy)}`]),
  ];
}
