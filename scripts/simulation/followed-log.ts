/** The log of a stream as the product's fold reads it: one rendition, segments of two seconds, a period for each connection. */
import type { IndexEntry, IndexRecord } from '../../cluster/contract/index-records.ts';
import { PeriodId, SessionId } from '../../cluster/model/ids.ts';
import {
  hashOf,
  init,
  rendition as name,
  segment90k as duration90k,
  video as rendition,
} from './simulated-media.ts';
import { region } from './world.ts';
import type { LogRecord } from './written.ts';

export class FollowedLog {
  readonly entries: IndexEntry[] = [];
  /** The periods of sources that are not decided. */
  readonly #periods = new Map<number, PeriodId>();
  #period = PeriodId.parse(1);

  add(record: LogRecord, sequence: number): void {
    this.entries.push({ sequence, record: this.#recordOf(record, sequence) });
  }

  #recordOf({ body, ...author }: LogRecord, sequence: number): IndexRecord {
    const by = { ...author, region };
    switch (body.kind) {
      case 'open':
        return { kind: 'open', ...by };
      case 'clock':
        this.#period = PeriodId.parse(sequence);
        return {
          kind: 'clock',
          ...by,
          sessionId: SessionId.parse(`c${body.connection}`),
          fingerprint: '',
          mediaZero90k: 0,
          presentationZero90k: 0,
          availabilityStartMs: by.atMs,
          connectionZeroMs: 0,
          sequenceHeaderHash: init.sha256,
          renditions: [rendition],
        };
      case 'source':
        this.#periods.set(body.start, this.#period);
        return {
          kind: 'source',
          ...by,
          sessionId: SessionId.parse('c0'),
          times90k: [0],
          ...this.#placeOf(body.start),
        };
      case 'commit': {
        const place = this.#placeOf(body.start);
        this.#periods.delete(body.start);
        const stored = { startTime: place.start90k, duration: duration90k, bytes: 1, frames: 50 };
        const media = { ...stored, sha256: hashOf(by.recordId) };
        return { kind: 'commit', ...by, ...place, number: body.number, renditions: { [name]: media } };
      }
      default:
        return body;
    }
  }

  #placeOf(start: number): {
    readonly period: PeriodId;
    readonly start90k: number;
    readonly duration90k: number;
  } {
    return { period: this.#periods.get(start) ?? this.#period, start90k: start * duration90k, duration90k };
  }
}
