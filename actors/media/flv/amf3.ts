/**
 * Reads AMF3 values (Adobe AMF 3 specification) out of untrusted bytes, where an AMF0 message holds one.
 *
 * The reader of the message bounds it: each value is counted there, with its depth. A reference to nothing is
 * `undefined`, because metadata is only what an encoder claims. Vectors and dictionaries are not taken.
 */
import { mediaInvalid, type ByteReader } from '../bits/byte-reader.ts';
import type { Amf } from './amf.ts';

const utf8 = new TextDecoder();

const marker = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  integer: 4,
  double: 5,
  string: 6,
  xmlDocument: 7,
  date: 8,
  array: 9,
  object: 10,
  xml: 11,
  byteArray: 12,
} as const;

interface Traits {
  readonly names: readonly string[];
  readonly isDynamic: boolean;
}

export class Amf3Reader {
  readonly #reader: ByteReader;
  readonly #count: (depth: number) => void;
  readonly #strings: string[] = [];
  readonly #objects: Amf[] = [];
  readonly #traits: Traits[] = [];

  /** @param count called before each value; throws when there are too many or they are too deep */
  constructor(reader: ByteReader, count: (depth: number) => void) {
    this.#reader = reader;
    this.#count = count;
  }

  /** @throws TangazaError `MEDIA_INVALID` */
  value(depth: number): Amf {
    this.#count(depth);
    const type = this.#reader.u8();
    switch (type) {
      case marker.undefined:
        return undefined;
      case marker.null:
        return null;
      case marker.false:
        return false;
      case marker.true:
        return true;
      case marker.integer:
        return (this.#u29() << 3) >> 3;
      case marker.double:
        return this.#double();
      case marker.string:
        return this.#string();
      case marker.xmlDocument:
      case marker.xml:
        return this.#inline((length) => utf8.decode(this.#reader.bytes(length)));
      case marker.date:
        return this.#inline(() => this.#double());
      case marker.array:
        return this.#array(depth);
      case marker.object:
        return this.#object(depth);
      case marker.byteArray:
        return this.#inline((length) => void this.#reader.bytes(length));
      default:
        throw mediaInvalid(`an AMF3 value has the type ${type}`);
    }
  }

  /** Seven bits a byte, eight in the fourth. */
  #u29(): number {
    let value = 0;
    for (let count = 1; count <= 4; count += 1) {
      const byte = this.#reader.u8();
      if (count === 4) return value * 256 + byte;
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value;
  }

  #double(): number {
    const bytes = this.#reader.bytes(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  }

  #string(): string {
    const head = this.#u29();
    if (head % 2 === 0) return this.#strings[head >> 1] ?? '';
    const text = utf8.decode(this.#reader.bytes(head >> 1));
    if (text !== '') this.#strings.push(text);
    return text;
  }

  /** A reference, or what `read` finds; `read` gets the length that stands in the head. */
  #inline(read: (length: number) => Amf): Amf {
    const head = this.#u29();
    if (head % 2 === 0) return this.#objects[head >> 1];
    const value = read(head >> 1);
    this.#objects.push(value);
    return value;
  }

  /** With named entries it is a map, like AMF0's ECMA array. */
  #array(depth: number): Amf {
    const head = this.#u29();
    if (head % 2 === 0) return this.#objects[head >> 1];
    const entries = new Map<string, Amf>();
    const list: Amf[] = [];
    const at = this.#objects.push(list) - 1;
    this.#named(entries, depth);
    for (let left = head >> 1; left > 0; left -= 1) list.push(this.value(depth + 1));
    if (entries.size === 0) return list;
    for (const [index, value] of list.entries()) entries.set(String(index), value);
    this.#objects[at] = entries;
    return entries;
  }

  #object(depth: number): Amf {
    const head = this.#u29();
    if (head % 2 === 0) return this.#objects[head >> 1];
    const entries = new Map<string, Amf>();
    this.#objects.push(entries);
    const { names, isDynamic } = this.#traitsOf(head >> 1, depth);
    for (const name of names) entries.set(name, this.value(depth + 1));
    if (isDynamic) this.#named(entries, depth);
    return entries;
  }

  #traitsOf(head: number, depth: number): Traits {
    if (head % 2 === 0) return this.#traits[head >> 1] ?? { names: [], isDynamic: false };
    if ((head & 2) !== 0) throw mediaInvalid('an AMF3 object is externalizable');
    this.#string(); // the name of its class
    const names: string[] = [];
    for (let left = head >> 3; left > 0; left -= 1) {
      this.#count(depth);
      names.push(this.#string());
    }
    const traits = { names, isDynamic: (head & 4) !== 0 };
    this.#traits.push(traits);
    return traits;
  }

  #named(entries: Map<string, Amf>, depth: number): void {
    for (let name = this.#string(); name !== ''; name = this.#string())
      entries.set(name, this.value(depth + 1));
  }
}
