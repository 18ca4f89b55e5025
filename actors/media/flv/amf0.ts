/**
 * Reads AMF0 values (Adobe AMF 0 specification) out of untrusted bytes.
 *
 * Depth and number of values are bounded, so that a few bytes cannot cost much. Real metadata is a flat list.
 */
import { ByteReader, mediaInvalid } from '../bits/byte-reader.ts';
import type { Amf } from './amf.ts';
import { Amf3Reader } from './amf3.ts';

const maxDepth = 8;
const maxValues = 2048;
const utf8 = new TextDecoder();

/** Type markers; those missing here cannot appear in metadata. */
const marker = {
  number: 0,
  boolean: 1,
  string: 2,
  object: 3,
  null: 5,
  undefined: 6,
  array: 8,
  end: 9,
  strictArray: 10,
  date: 11,
  longString: 12,
  /** Says that AMF3 follows. */
  amf3: 17,
} as const;

/**
 * Reads one value of a message after the other. Every read throws TangazaError `MEDIA_INVALID` for what is not AMF0.
 */
export class Amf0Reader {
  readonly #reader: ByteReader;
  #amf3: Amf3Reader | undefined;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes, 'an AMF0 message');
  }

  get hasMore(): boolean {
    return this.#reader.remaining > 0;
  }

  value(): Amf {
    return this.#value(0);
  }

  #count(depth: number): void {
    this.#values += 1;
    if (depth > maxDepth) throw mediaInvalid(`an AMF message is nested more than ${maxDepth} deep`);
    if (this.#values > maxValues) throw mediaInvalid(`an AMF message has more than ${maxValues} values`);
  }

  #value(depth: number): Amf {
    this.#count(depth);
    const type = this.#reader.u8();
    switch (type) {
      case marker.number:
        return this.#number();
      case marker.boolean:
        return this.#reader.u8() !== 0;
      case marker.string:
        return this.#text(this.#reader.u16());
      case marker.longString:
        return this.#text(this.#reader.u32());
      case marker.null:
        return null;
      case marker.undefined:
        return undefined;
      case marker.date:
        return this.#date();
      case marker.object:
        return this.#entries(depth);
      case marker.array:
        this.#reader.u32();
        return this.#entries(depth);
      case marker.strictArray:
        return this.#list(depth);
      case marker.amf3:
        this.#amf3 ??= new Amf3Reader(this.#reader, (level) => this.#count(level));
        return this.#amf3.value(depth);
      default:
        throw mediaInvalid(`an AMF0 message has a value of type ${type}`);
    }
  }

  #number(): number {
    const bytes = this.#reader.bytes(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  }

  #date(): number {
    const at = this.#number();
    this.#reader.u16();
    return at;
  }

  #text(length: number): string {
    return utf8.decode(this.#reader.bytes(length));
  }

  /** The count of an ECMA array is only a hint: an empty key before the end marker ends both kinds. */
  #entries(depth: number): ReadonlyMap<string, Amf> {
    const entries = new Map<string, Amf>();
    while (this.#reader.remaining > 0) {
      const key = this.#text(this.#reader.u16());
      if (key === '') {
        if (this.#reader.remaining > 0 && this.#reader.u8() !== marker.end)
          throw mediaInvalid('an AMF0 object does not end');
        return entries;
      }
      entries.set(key, this.#value(depth + 1));
    }
    return entries;
  }

  #list(depth: number): readonly Amf[] {
    const count = this.#reader.u32();
    if (count > maxValues) throw mediaInvalid(`an AMF0 array claims ${count} values`);
    return Array.from({ length: count }, () => this.#value(depth + 1));
  }
}
