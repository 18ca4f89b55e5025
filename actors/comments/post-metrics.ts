/** Counts what becomes of comments that are sent, and what was refused to those who read. */
import type { ErrorCode } from '../../cluster/errors/catalogue.ts';
import type { Metrics } from '../../cluster/observe/metrics.ts';
import type { Counts } from './counts/counts.ts';
import type { Guards } from './guards/guards.ts';

export interface PostMetrics {
  /** @param isNew false for one that was there already */
  taken(isNew: boolean): void;
  refused(code: ErrorCode): void;
}

export interface Watched {
  readonly guards: Pick<Guards, 'forgotten' | 'readsRefused'>;
  readonly counts: Pick<Counts, 'leftOut'>;
}

export function postMetrics(metrics: Metrics, { guards, counts }: Watched): PostMetrics {
  const taken = metrics.counter({
    name: 'tangaza_comments_taken_total',
    help: 'Comments that the database took, and those that it had already.',
    labels: ['kind'],
  });
  const refused = metrics.counter({
    name: 'tangaza_comments_refused_total',
    help: 'Comments that were not taken, by the code of the answer.',
    labels: ['code'],
  });
  metrics.family(
    {
      kind: 'counter',
      name: 'tangaza_comments_guard_forgotten_total',
      help: 'Senders that the guards forgot though they counted still, as there were too many.',
      labels: [],
    },
    () => [{ value: guards.forgotten, labels: {} }],
  );
  metrics.family(
    {
      kind: 'counter',
      name: 'tangaza_comments_reads_refused_total',
      help: 'Pages of comments that were refused, as their network asks for too many.',
      labels: [],
    },
    () => [{ value: guards.readsRefused, labels: {} }],
  );
  metrics.family(
    {
      kind: 'counter',
      name: 'tangaza_comments_counts_left_out_total',
      help: 'Changed counts of likes and answers that were left for who reads them, as too many waited.',
      labels: [],
    },
    () => [{ value: counts.leftOut, labels: {} }],
  );
  return {
    taken: (isNew) => taken.add(1, { kind: isNew ? 'new' : 'again' }),
    refused: (code) => refused.add(1, { code }),
  };
}
