/**
 * The metrics port: one registry per node; names are `tangaza_…`, in base units, which stand last (`_seconds`, `_bytes`), and
 * `_total` behind them for counters alone.
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

/** What something has one series of for each of many things that come and go, e.g. streams. */
export interface FamilySpec extends MetricSpec {
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
}

/** Asking twice for one name gives the same metric. */
export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec & { readonly buckets?: readonly number[] }): Histogram;
  /**
   * A family that is read when somebody looks: a series ends with what it is about. At most `maxSeries` of one family are
   * shown, the first ones; `tangaza_metrics_left_out_series` says how many are not.
   */
  family(spec: FamilySpec, read: () => Iterable<Sample>): void;
}

/** Of one family: what 500 streams with some renditions need. */
export const maxSeries = 4000;

const nothing = { add: () => {}, set: () => {}, observe: () => {} };

/** Metrics for tests and tools that want none. */
export const noMetrics: Metrics = {
  counter: () => nothing,
  gauge: () => nothing,
  histogram: () => nothing,
  family: () => {},
};
