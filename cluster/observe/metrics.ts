/** The metrics port: one registry per node; names are `tangaza_…`, units last (`_seconds`, `_bytes`, `_total`). */
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

/** Asking twice for one name gives the same metric. */
export interface Metrics {
  counter(spec: MetricSpec): Counter;
  gauge(spec: MetricSpec): Gauge;
  histogram(spec: MetricSpec & { readonly buckets?: readonly number[] }): Histogram;
}

const nothing = { add: () => {}, set: () => {}, observe: () => {} };

/** Metrics for tests and tools that want none. */
export const noMetrics: Metrics = { counter: () => nothing, gauge: () => nothing, histogram: () => nothing };
