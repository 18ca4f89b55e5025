/**
 * The floor of `bench edge`: uWebSockets.js and nothing else, in a process of its own. It answers with the edge's own
 * replies, by the fewest calls that the library has for them: the headers as one block, then `end(buffer)`. What the edge
 * costs beyond it is ours; what nginx costs less than it is the library's.
 *
 * Argument: a folder of files, each beside its headers as `NAME.head`. Sends `{ port }` to its parent when it listens.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, us_socket_local_port } from '../../actors/edge-delivery/http/library.uws.ts';

const [folder = ''] = process.argv.slice(2);
const contentType = Buffer.from('content-type');
const replies = new Map(
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.head'))
    .map((entry) => join(entry.parentPath, entry.name.slice(0, -'.head'.length)))
    .map((file) => [
      file.slice(folder.length),
      { head: readFileSync(`${file}.head`), body: readFileSync(file) },
    ]),
);

App()
  .get('/*', (response, request) => {
    const reply = replies.get(request.getUrl());
    if (reply === undefined) return void response.writeStatus('404 Not Found').end();
    response.writeHeader(contentType, reply.head);
    response.end(reply.body);
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('the bare server cannot listen');
    process.send?.({ port: us_socket_local_port(socket) });
  });
process.on('disconnect', () => process.exit(0));
