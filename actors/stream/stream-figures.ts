/**
 * What `/metrics` shows of each stream that this node owns. Every scrape asks for up to 500 streams, so each answer
 * must be cheap.
 */
import type { RenditionName, StreamId } from '../../cluster/model/ids.ts';
import type { Metrics, Sample } from '../../cluster/observe/metrics.ts';
import { lagsMs } from './health.ts';
import type { OwnerEvent } from './owner/owner-events.ts';
import type { Now, OwnerState } from './owner/owner-state.ts';

export interface StreamFigures {
  readonly stream: StreamId;
  /** What the publisher sends. Twins send the same twice: then that of the one that sends more. */
  readonly inputBytesPerSecond: number;
  /** Segments committed so far, declared gaps included; also the number of the next one. */
  readonly segments: number;
  readonly gaps: number;
  readonly absentRenditions: number;
  readonly lags: readonly { readonly name: RenditionName; readonly lagMs: number }[];
}

/** @param counts the owner's events since it took the stream over */
export function figuresOf(
  state: OwnerState,
  counts: ReadonlyMap<OwnerEvent, number>,
  now: Now,
): StreamFigures {
  return {
    stream: state.self.stream,
    inputBytesPerSecond: Math.max(
      0,
      ...state.sessions.map(({ isActive, input }) => (isActive ? (input?.bitrateBps ?? 0) / 8 : 0)),
    ),
    segments: state.timeline.nextNumber,
    gaps: counts.get('gap') ?? 0,
    absentRenditions: counts.get('absentRung') ?? 0,
    lags: lagsMs(state, now),
  };
}

/** Registers the metric families of owned streams; `read` gives the figures of all of them. */
export function showStreams(metrics: Metrics, read: () => readonly StreamFigures[]): void {
  const each = (value: (one: StreamFigures) => number) => (): readonly Sample[] =>
    read().map((one) => ({ labels: { stream: one.stream }, value: value(one) }));
  const family = { labels: ['stream'] } as const;
  metrics.family(
    {
      ...family,
      kind: 'gauge',
      name: 'tangaza_stream_input_bytes_per_second',
      help: 'What comes in from the publisher; of twins, from the one that sends more.',
    },
    each(({ inputBytesPerSecond }) => inputBytesPerSecond),
  );
  metrics.family(
    {
      ...family,
      kind: 'counter',
      name: 'tangaza_stream_segments_total',
      help: 'Segments of the stream so far, gaps included; goes on under another owner.',
    },
    each(({ segments }) => segments),
  );
  metrics.family(
    {
      ...family,
      kind: 'counter',
      name: 'tangaza_stream_gap_segments_total',
      help: 'Segments declared a gap since this node owns the stream.',
    },
    each(({ gaps }) => gaps),
  );
  metrics.family(
    {
      ...family,
      kind: 'counter',
      name: 'tangaza_stream_absent_renditions_total',
      help: 'Renditions that segments lack, gaps not included, since this node owns the stream.',
    },
    each(({ absentRenditions }) => absentRenditions),
  );
  metrics.family(
    {
      kind: 'gauge',
      name: 'tangaza_stream_rendition_lag_seconds',
      help: 'How far the end of the newest segment of a rendition lies behind now.',
      labels: ['stream', 'rendition'],
    },
    () =>
      read().flatMap(({ stream, lags }) =>
        lags.map(({ name, lagMs }) => ({ labels: { stream, rendition: name }, value: lagMs / 1000 })),
      ),
  );
}
