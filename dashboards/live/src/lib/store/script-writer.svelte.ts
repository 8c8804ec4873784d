/* What is done with a script that is written: checked, and run, with a question first where it sends
   dangerous commands.

     write -> check -> faults at their lines
              run   -> check -> (question) -> begun */
import { scriptApi, type CheckedScript, type ScriptRunDetail } from '../api-scripts';
import { toProblem } from '../problem';
import { makeRequestId } from '../request-ids';
import type { ScriptDraft } from '../script-draft.svelte';
import { addStep, moveFaults, placeFaults, writeCommand, type LineFault } from '../script-text';
import { scriptText } from '../text-scripts';
import type { ScriptRuns } from './script-runs.svelte';

export class ScriptWriter {
  faults = $state.raw<readonly LineFault[]>([]);
  /** What is wrong with the whole, or with the way there. */
  failure = $state('');
  /** What was found good, until a letter of it changes. */
  checked = $state.raw<CheckedScript | null>(null);
  /** Whether it is run only when somebody says yes. */
  asks = $state(false);
  busy = $state<'check' | 'run' | null>(null);

  /** What was to be run without an answer: run again it is the same run. */
  #unanswered: { text: string; key: string } | null = null;

  constructor(
    readonly draft: ScriptDraft,
    readonly runs: ScriptRuns,
  ) {}

  write(text: string): void {
    const before = this.draft.text;
    if (text === before) return;
    this.draft.text = text;
    this.faults = moveFaults(this.faults, before, text);
    [this.failure, this.checked, this.asks] = ['', null, false];
  }

  /** Write a command as one more step; what stood there before is answered. */
  add(command: string, parameters: Readonly<Record<string, unknown>>): string {
    const before = this.draft.text;
    this.write(addStep(before, writeCommand(command, parameters)));
    return before;
  }

  async check(): Promise<void> {
    await this.#do('check', () => this.#check());
  }

  /** Run it, or ask first; answers with what was begun. */
  async run(): Promise<ScriptRunDetail | null> {
    return this.#do('run', async () => {
      const checked = await this.#check();
      if (!checked.dangerous.length) return this.#begin(checked.isOf, false);
      // Of a text that changed meanwhile nobody is asked.
      this.asks = this.checked !== null;
      return null;
    });
  }

  /** Run it, dangerous as it is. */
  async confirm(): Promise<ScriptRunDetail | null> {
    if (!this.asks) return null;
    return this.#do('run', async () => {
      const begun = await this.#begin(this.draft.text, true);
      this.asks = false;
      return begun;
    });
  }

  refuse(): void {
    this.asks = false;
  }

  async #check(): Promise<CheckedScript & { isOf: string }> {
    const { text } = this.draft;
    this.checked = null;
    const checked = await scriptApi.check(this.draft.deviceId, text);
    this.faults = [];
    // It was written on meanwhile: what is there now is not known to be good.
    if (text === this.draft.text) this.checked = checked;
    return { ...checked, isOf: text };
  }

  async #begin(text: string, confirmDangerous: boolean): Promise<ScriptRunDetail> {
    if (this.#unanswered?.text !== text) this.#unanswered = { text, key: makeRequestId() };
    const begun = await this.runs.run(text, confirmDangerous, this.#unanswered.key);
    this.#unanswered = this.checked = null;
    return begun;
  }

  async #do<T>(what: 'check' | 'run', work: () => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.failure = '';
    if (this.draft.text.trim() === '') {
      this.failure = scriptText.editor.needed;
      return null;
    }
    const before = this.draft.text;
    this.busy = what;
    try {
      return await work();
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status > 0 && problem.status < 500) this.#unanswered = null;
      const { faults, rest } = placeFaults(problem);
      this.faults = moveFaults(faults, before, this.draft.text);
      this.failure = rest;
      this.asks = false;
      return null;
    } finally {
      this.busy = null;
    }
  }
}
