/** A thread of `tangaza simulate`: runs the seeds that it is sent, and answers with their results. */
import { parentPort } from 'node:worker_threads';
import { newEdgeFold } from './edge-fold.ts';
import { simulate } from '../../simulation/simulate.ts';
import { SimulationTask, type SimulationNews } from './simulation-news.ts';

const progressEveryMs = 500;

function post(news: SimulationNews): void {
  // oxlint-disable-next-line require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(news);
}

parentPort?.on('message', (raw: unknown) => {
  const { breaks, ...options } = SimulationTask.parse(raw);
  let saidAtMs = performance.now();
  const onSecond = (nowMs: number): void => {
    if (performance.now() - saidAtMs < progressEveryMs) return;
    saidAtMs = performance.now();
    post({ kind: 'progress', seed: options.seed, nowMs });
  };
  const sabotage = breaks === undefined ? {} : { breaks };
  void simulate({ ...options, onSecond, newFold: newEdgeFold, ...sabotage }).then((result) =>
    post({ kind: 'result', result }),
  );
});
