/* The page's one animation frame. Work asks for the next frame and is run once in it however
   often it asked; nothing is scheduled while nothing changes, and a hidden tab draws nothing. */

type Task = () => void;

const waiting = new Set<Task>();
let handle = 0;

function run(): void {
  handle = 0;
  const tasks = [...waiting];
  waiting.clear();
  for (const task of tasks) task();
}

export function nextFrame(task: Task): void {
  waiting.add(task);
  handle ||= requestAnimationFrame(run);
}

/** Run `task` once what came of this frame is on screen. Charts are drawn in the frame after the
    one in which their data came, and a browser paints a frame before it begins its next task. */
export function afterPaint(task: Task): void {
  requestAnimationFrame(() => setTimeout(task, 0));
}

export function dropFrame(task: Task): void {
  waiting.delete(task);
}

/** Run `task` at most once in `gapMs`: at once after a pause, else when the gap is over. */
export function paced(task: Task, gapMs: number): Task & { cancel(): void } {
  let last = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const fire = (): void => {
    timer = undefined;
    last = performance.now();
    task();
  };
  const ask = (): void => {
    if (timer !== undefined) return;
    const wait = last + gapMs - performance.now();
    if (wait <= 0) fire();
    else timer = setTimeout(() => nextFrame(fire), wait);
  };
  return Object.assign(ask, { cancel: () => clearTimeout(timer) });
}
