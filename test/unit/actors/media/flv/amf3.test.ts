/** AMF3 values inside AMF0 messages, written by hand after the specification. */
import { expect, test } from 'vitest';
import { Amf0Reader } from '../../../../../actors/media/flv/amf0.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';

const read = (hex: string): unknown =>
  new Amf0Reader(Buffer.from(`11${hex}`.replaceAll(' ', ''), 'hex')).value();

test.each([
  { what: 'undefined', hex: '00', is: undefined },
  { what: 'null', hex: '01', is: null },
  { what: 'false', hex: '02', is: false },
  { what: 'true', hex: '03', is: true },
  { what: 'an integer of one byte', hex: '04 7f', is: 127 },
  { what: 'an integer of two bytes', hex: '04 81 00', is: 128 },
  { what: 'the highest integer', hex: '04 bf ff ff ff', is: 2 ** 28 - 1 },
  { what: 'a negative integer', hex: '04 ff ff ff ff', is: -1 },
  { what: 'a double', hex: '05 3ff8000000000000', is: 1.5 },
  { what: 'a string', hex: '06 07 616263', is: 'abc' },
  { what: 'an empty string', hex: '06 01', is: '' },
  { what: 'a date', hex: '08 01 4059000000000000', is: 100 },
  { what: 'an array', hex: '09 05 01 04 01 04 02', is: [1, 2] },
  {
    what: 'an array with names',
    hex: '09 03 03 61 04 07 01 04 02',
    is: new Map([
      ['a', 7],
      ['0', 2],
    ]),
  },
  {
    what: 'an object',
    hex: '0a 0b 01 03 61 04 01 03 62 06 03 78 01',
    is: new Map<string, unknown>([
      ['a', 1],
      ['b', 'x'],
    ]),
  },
  { what: 'an object with traits', hex: '0a 13 01 03 61 04 05', is: new Map([['a', 5]]) },
  { what: 'bytes', hex: '0c 05 0102', is: undefined },
  { what: 'a string again', hex: '09 05 01 06 03 61 06 00', is: ['a', 'a'] },
  {
    what: 'an object again',
    hex: '09 05 01 0a 0b 01 03 61 04 01 01 0a 02',
    is: [new Map([['a', 1]]), new Map([['a', 1]])],
  },
  { what: 'a reference to nothing', hex: '06 08', is: '' },
])('$what', ({ hex, is }) => {
  expect(read(hex)).toEqual(is);
});

test.each([
  { what: 'a type that is none', hex: '11' },
  { what: 'an externalizable object', hex: '0a 07 01' },
  { what: 'a string beyond the end', hex: '06 ff ff ff ff' },
  { what: 'arrays in arrays', hex: '09 03 01'.repeat(20) },
  { what: 'an array of 200 million', hex: '09 bf ff ff ff 01' },
  { what: 'an object with 30 million names', hex: `0a bf ff ff f3 01${'01'.repeat(3000)}` },
])('$what is refused', ({ hex }) => {
  expect(() => read(hex)).toThrow(TangazaError);
});
