/** The document of the live socket against AsyncAPI's own parser, and against the messages that are sent. */
import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { asyncApiDocument } from '../../../../../actors/edge-delivery/socket/asyncapi.ts';
import { ClientMessage, ServerMessage } from '../../../../../cluster/contract/audience/socket-messages.ts';
import { ada, added, clientIdOf, commentOf } from '../../../../support/audience/said.ts';

const document = asyncApiDocument('https://live.example.org');
const ajv = formats.default(new Ajv({ strict: false }));
ajv.addSchema(JSON.parse(JSON.stringify(document)), 'document');
const isValid = (name: string, value: unknown): boolean => {
  const validate = ajv.getSchema(`document#/components/${name}`);
  return validate?.(JSON.parse(JSON.stringify(value))) === true;
};

test('the document is one of AsyncAPI 3, and nothing is found wrong with it', async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
  // Errors and warnings; hints are no faults.
  const faults = diagnostics
    .filter(({ severity }) => ['0', '1'].includes(String(severity)))
    .map(({ message, path }) => ({ message, path }));
  expect(faults).toEqual([]);
  expect(parsed?.version()).toBe('3.0.0');
  expect(
    parsed
      ?.channels()
      .all()
      .map((channel) => channel.address()),
  ).toEqual(['/v1/streams/{id}/socket']);
  expect(
    parsed
      ?.servers()
      .all()
      .map((server) => `${server.protocol()}://${server.host()}`),
  ).toEqual(['wss://live.example.org']);
});

test('it lists every message of both sides', async () => {
  const typesOf = (options: readonly { shape: { type: { value: string } } }[]): readonly string[] =>
    options.map(({ shape }) => shape.type.value);
  const text = JSON.stringify(document);
  const missing = [...typesOf(ClientMessage.options), ...typesOf(ServerMessage.options)].filter(
    (type) => !text.includes(`{"type":"string","const":"${type}"}`),
  );
  expect(missing).toEqual([]);
});

test.each([
  ['Hello', { type: 'hello', token: 'a', lastAt: '2026-11-30T12:00:00Z' }],
  [
    'Hello',
    {
      type: 'hello',
      lastAt: '2026-11-30T12:00:00Z',
      inRegion: { region: 'eu', knownTo: '2026-11-30T12:05:00Z' },
    },
  ],
  ['Hello', { type: 'hello', lastId: commentOf(1).id }],
  ['CommentMessage', { type: 'comment', clientId: clientIdOf(1), text: 'a', parentId: commentOf(1).id }],
  ['Ping', { type: 'ping' }],
  ['CommentAdded', added(commentOf(1))],
  ['Identity', ada],
])('a %s that is sent is what the document says', (name, value) => {
  expect(isValid(`schemas/${name}`, value)).toBe(true);
  expect(isValid(`schemas/${name}`, { ...value, type: 'dance', user: 7 })).toBe(false);
});

test('a frame is a list of messages of the server', () => {
  const time = { type: 'time', now: '2026-11-30T12:00:00.000Z' };
  const frame = (...messages: readonly object[]) => isValid('messages/Frame/payload', messages);
  expect({
    good: frame(time, added(commentOf(1)), { type: 'pong' }),
    empty: frame(),
    other: frame(time, { type: 'dance' }),
  }).toEqual({ good: true, empty: false, other: false });
});
