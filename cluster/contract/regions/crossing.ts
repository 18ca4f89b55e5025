/**
 * What may cross from one region to another: calls and events. Each one is defined once, in a file of this folder, with its shapes and
 * bounds. Both ends refuse everything else (R2).
 */
import type { z } from 'zod';

interface Bounds {
  /** As JSON, in bytes. What is longer does not cross. */
  readonly maxBytes: number;
  /** From one region to another, of all streams together. What comes faster is refused (a call) or dropped and counted (an event). */
  readonly perSecond: number;
}

/** A question to another region. It may be repeated without harm, as an answer can be lost. */
export interface RegionCall<Params, Result> extends Bounds {
  /** Lower-case words with `-`, such as `on-air`. It is part of a NATS subject. */
  readonly name: string;
  /**
   * Leaves out the fields that it does not know, as `result` and events do: regions are renewed one after the other, and a refused question would be
   * taken for a region that does not answer. So a field without which a question means another thing is never added: that is a call of a new name.
   */
  readonly params: z.ZodType<Params>;
  /** Leaves out the fields that it does not know, such as those of a newer version: an answer in another shape is refused (R2). */
  readonly result: z.ZodType<Result>;
  /** The answer, as JSON, in bytes. */
  readonly maxResultBytes: number;
}

/** A hint to other regions. It may be lost, doubled or late; only those regions get it in which somebody listens. */
export interface RegionEvent<Event> extends Bounds {
  /** `tz.{region}.wan.{name}`, or `tz.{region}.wan.{name}.{of}` where an event concerns one stream, `of`. */
  readonly name: string;
  /** Leaves out the fields that it does not know, such as those of a newer version: an event in another shape is dropped (R2). */
  readonly event: z.ZodType<Event>;
}
