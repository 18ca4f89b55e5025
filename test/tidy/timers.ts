/**
 * Who may measure time past the clock port: nobody in `actors/` and `cluster/`, but for a few with a reason.
 *
 * A timer of Node's, and `AbortSignal.timeout`, run out while the process stands still, and judge before what waits in the sockets is
 * read. The port's `sleep` and `runningMs` do not (cluster/time/running-time.ts).
 */
import { isTypeScript, type Finding, type SourceFile } from './tree.ts';

const measures = /\b(?:AbortSignal\.timeout|setTimeout|setInterval|performance\.now|Date\.now)\(/;

/** With the reason. */
const mayMeasure = new Map([
  ['cluster/time/clock.system.ts', 'is the port'],
  ['cluster/membership/probe.http.ts', 'a monitor that stood still is void by itself'],
  ['cluster/nats/asking.nats.ts', 'asks again, and ends nothing'],
  ['cluster/log/index-log.nats.ts', 'measures for a metric'],
]);

export function checkTimers(files: readonly SourceFile[]): readonly Finding[] {
  return files
    .filter((file) => isTypeScript(file) && /^(?:actors|cluster)\//.test(file.path))
    .filter(({ path }) => !mayMeasure.has(path) && !path.endsWith('.browser.ts'))
    .filter(({ text }) => measures.test(text))
    .map(({ path }) => `${path}: measures time past the clock port, standstills of the process included`);
}
