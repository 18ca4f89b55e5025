/** RTMP commands: what publishers send, and what nobody should. */
import * as fc from 'fast-check';
import amf from 'node-media-server/src/protocol/amf.js';
import { expect, test } from 'vitest';
import { parseCommand } from '../../../../../actors/ingest/rtmp/rtmp-command.ts';
import { publishRefused } from '../../../../../actors/ingest/rtmp/rtmp-commands.rtmp.ts';
import { scriptBody } from '../../../../../actors/ingest/rtmp/rtmp-tags.ts';
import { TangazaError } from '../../../../../cluster/errors/tangaza-error.ts';

const command = (...values: readonly unknown[]): Buffer => amf.amf0Encode(values);

test.each([
  {
    what: 'ffmpeg connects',
    bytes: command('connect', 1, { app: 'live', flashVer: 'FMLE/3.0', tcUrl: 'rtmp://h/live' }),
    is: {
      kind: 'connect',
      transaction: 1,
      app: 'live',
      encoder: 'FMLE/3.0',
      objectEncoding: 0,
      canReconnect: false,
    },
  },
  {
    what: 'an encoder of Enhanced RTMP connects',
    bytes: command('connect', 1, { app: 'live', capsEx: 7 }),
    is: { kind: 'connect', transaction: 1, app: 'live', objectEncoding: 0, canReconnect: true },
  },
  {
    what: 'one that takes no reconnect request connects',
    bytes: command('connect', 1, { app: 'live', capsEx: 6 }),
    is: { kind: 'connect', transaction: 1, app: 'live', objectEncoding: 0, canReconnect: false },
  },
  {
    what: 'a client connects with next to nothing',
    bytes: command('connect', 1, {}),
    is: { kind: 'connect', transaction: 1, app: '', objectEncoding: 0, canReconnect: false },
  },
  {
    what: 'an encoder publishes',
    bytes: command('publish', 5, null, 'key?priority=1', 'live'),
    is: { kind: 'publish', name: 'key?priority=1' },
  },
  {
    what: 'an encoder publishes without a name',
    bytes: command('publish', 5, null),
    is: { kind: 'publish', name: '' },
  },
  {
    what: 'an encoder leaves',
    bytes: command('deleteStream', 7, null, 1),
    is: { kind: 'deleteStream', stream: 1 },
  },
  {
    what: 'an encoder closes its stream',
    bytes: command('closeStream', 0, null),
    is: { kind: 'closeStream' },
  },
  { what: 'a player asks', bytes: command('play', 0, null, 'x'), is: { kind: 'play' } },
  {
    what: 'an encoder measures its bandwidth',
    bytes: command('_checkbw', 4, null),
    is: { kind: 'call', transaction: 4, answer: undefined },
  },
  {
    what: 'an encoder asks for the length of its stream',
    bytes: command('getStreamLength', 4, null, 'x'),
    is: { kind: 'call', transaction: 4, answer: 0 },
  },
  {
    what: 'an unknown command comes',
    bytes: command('setup', 3, null),
    is: { kind: 'unknown', transaction: 3 },
  },
  { what: 'an answer comes', bytes: command('_result', 3, null), is: { kind: 'answer' } },
])('$what', ({ bytes, is }) => {
  expect(parseCommand(bytes)).toEqual(is);
});

test.each([
  { what: 'no AMF0', bytes: Buffer.of(0x0d, 1, 2) },
  { what: 'half a string', bytes: Buffer.of(2, 0, 9, 0x63) },
  { what: 'a number for a name', bytes: command(7) },
  { what: 'nothing', bytes: Buffer.alloc(0) },
  { what: 'connect without properties', bytes: command('connect', 1, null) },
  {
    what: 'objects in objects without end',
    bytes: Buffer.concat(Array.from({ length: 15_000 }, () => Buffer.of(3, 0, 1, 0x61))),
  },
  { what: 'an array that claims 4 billion values', bytes: Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 5) },
  { what: 'over 64 kB', bytes: Buffer.alloc(65_537, 5) },
])('$what is refused as MEDIA_INVALID', ({ bytes }) => {
  expect(() => parseCommand(bytes)).toThrow(expect.objectContaining({ code: 'MEDIA_INVALID' }));
});

test('random bytes, and valid commands with random damage, give a command or MEDIA_INVALID', () => {
  const valid = command('connect', 1, { app: 'live', flashVer: 'x', nested: { a: [1, 2], b: 'c' } });
  const damaged = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 })
    .map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes.writeUInt8(value, at);
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(
        damaged,
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      ),
      (bytes) => {
        try {
          expect(parseCommand(bytes).kind).toBeTypeOf('string');
        } catch (error) {
          expect(error).toBeInstanceOf(TangazaError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('metadata loses the word that only RTMP has, and nothing else does', () => {
  const body = amf.amf0Encode(['onMetaData', { width: 1 }]);
  expect(scriptBody(Buffer.concat([amf.amf0Encode(['@setDataFrame']), body]))).toEqual(body);
  expect(scriptBody(body)).toEqual(body);
  expect(scriptBody(Buffer.of(2, 0))).toEqual(Buffer.of(2, 0));
});

test('a refusal is cut to what an encoder can show', () => {
  const values = amf.amf0Decode(publishRefused(1, 'CODEC_REFUSED', `é${'x'.repeat(900)}`).subarray(12));
  const description = expect.stringMatching(/^CODEC_REFUSED: \?x{384}$/);
  expect(values).toEqual([
    'onStatus',
    0,
    null,
    { level: 'error', code: 'NetStream.Publish.Denied', description },
  ]);
});
