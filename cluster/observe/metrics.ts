/**
 * The port of the metrics: one registry for each node. A name is `tangaza_…` and ends in its base unit where it has one (`_seconds`,
 * `_bytes`). Only a counter has `_total` behind that.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(value: number, labels?: Labels): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export interface MetricSpec {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** One series of a family, as it is now. */
export interface Sample {
  readonly value: number;
  readonly labels: Labels;
}

/** A metric with one series for each of many things that come and go, e.g. streams. */
export interface FamilySpec extends MetricSpec {
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
}

/** A second call with the same name returns the same metric. */
export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec & { readonly buckets?: readonly number[] }): Histogram;
  /**
   * Adds a family that is read at each scrape, so a series ends together with its subject. At most `maxSeries` of a family are shown, the
   * first ones. `tangaza_metrics_left_out_series` says how many are left out.
   */
  family(spec: FamilySpec, read: () => Iterable<Sample>): void;
}

/** The most series of one family: enough for 500 streams with some renditions each. */
export const maxSeries = 4000;

const nothing = { add: () => {}, set: () => {}, observe: () => {} };

/** Metrics for tests and tools that measure nothing. */
export const noMetrics: Metrics = {
  counter: () => nothing,
  gauge: () => nothing,
  histogram: () => nothing,
  family: () => {},
};
