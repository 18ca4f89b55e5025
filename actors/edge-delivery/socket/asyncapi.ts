/** Makes the AsyncAPI 3 document of the live socket from the schemas that validate its messages. */
import { schemaOf, refTo, type Json } from '../../../cluster/contract/api/json-schemas.ts';
import { socketCloses } from '../../../cluster/contract/audience/socket-closes.ts';
import {
  ClientMessage,
  ServerMessage,
  socketPath,
  socketProtocol,
} from '../../../cluster/contract/audience/socket-messages.ts';
import { problemSchema } from '../http/openapi.ts';

const channel = { $ref: '#/channels/liveSocket' };

/** @param origin the URL under which the reader of the document reached us */
export function asyncApiDocument(origin: string): Json {
  const schemas: Record<string, unknown> = { Problem: problemSchema };
  const said = ClientMessage.options.map((option) => nameOf(schemaOf(option, 'input', schemas, 'draft-7')));
  const heard = ServerMessage.options.map((option) => nameOf(schemaOf(option, 'output', schemas, 'draft-7')));
  const messages = Object.fromEntries([
    ...said.map((name) => [name, { name, contentType: 'application/json', payload: refTo(name) }]),
    ['Frame', frame(heard)],
  ]);
  const names = [...said, 'Frame'];
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tangaza, the live socket', version: '1', description },
    defaultContentType: 'application/json',
    servers: { edge: serverOf(origin) },
    channels: {
      liveSocket: {
        address: socketPath,
        description: `A websocket for one stream, subprotocol \`${socketProtocol}\`.`,
        parameters: { id: { description: 'The id of the stream.', examples: ['demo'] } },
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { ws: { method: 'GET', bindingVersion: '0.1.0' } },
      },
    },
    operations: {
      say: {
        action: 'receive',
        channel,
        summary: 'What a client says: one message for each frame, `hello` first.',
        messages: said.map(inChannel),
      },
      hear: {
        action: 'send',
        channel,
        summary: 'What a server says: an array of messages for each frame.',
        messages: [inChannel('Frame')],
      },
    },
    components: { messages, schemas },
  };
}

/** One list of messages, the first of which is the time. */
const frame = (names: readonly string[]): Json => ({
  name: 'Frame',
  contentType: 'application/json',
  summary: 'What came within 50 to 200 ms. The first message is `time`.',
  payload: { type: 'array', minItems: 1, items: { oneOf: names.map(refTo) } },
});

const inChannel = (name: string): Json => ({ $ref: `#/channels/liveSocket/messages/${name}` });

/** @param reference `#/components/schemas/Name` */
function nameOf({ $ref: reference }: Json): string {
  if (typeof reference !== 'string') throw new Error('a message of the live socket has no id');
  return reference.slice(reference.lastIndexOf('/') + 1);
}

function serverOf(origin: string): Json {
  const { protocol, host } = new URL(origin);
  return { host, protocol: protocol === 'https:' ? 'wss' : 'ws', description: 'This node.' };
}

const closes = Object.values(socketCloses).map(({ code, reason, next }) => `- ${code}: ${reason}. ${next}`);
const description = `What is said about a stream, and by whom, as it happens. Clients pass over types and fields that they do not know.

A server ends a socket with one of these codes:

${closes.join('\n')}`;
