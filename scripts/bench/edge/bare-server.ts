/**
 * The reference server of `bench edge`: uWebSockets.js and nothing else, in a process of its own. It answers with the edge's own
 * replies, by the fewest calls that the library allows: the headers as one block, then `end(buffer)`. Where there is a gzip form
 * it reads whether the client takes gzip, as every server of two forms must. What the edge costs beyond that is ours. What
 * nginx costs less than that is the library's.
 *
 * Argument: a folder of files, each beside its headers as `NAME.head`. Sends `{ port }` to its parent when it listens.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, us_socket_local_port } from '../../../actors/edge-delivery/http/library.uws.ts';

const [folder = ''] = process.argv.slice(2);
const contentType = Buffer.from('content-type');
const acceptEncoding = Buffer.from('accept-encoding');
const reply = (file: string) => ({ head: readFileSync(`${file}.head`), body: readFileSync(file) });
const replies = new Map(
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.head') && !entry.name.endsWith('.gz.head'))
    .map((entry) => join(entry.parentPath, entry.name.slice(0, -'.head'.length)))
    .map((file) => {
      const gzip = existsSync(`${file}.gz`) ? reply(`${file}.gz`) : undefined;
      return [file.slice(folder.length), { plain: reply(file), gzip }];
    }),
);

App()
  .get('/*', (response, request) => {
    const found = replies.get(request.getUrl());
    if (found === undefined) return void response.writeStatus('404 Not Found').end();
    const { plain, gzip } = found;
    const isGzip = gzip !== undefined && request.getHeader(acceptEncoding).includes('gzip');
    const { head, body } = isGzip ? gzip : plain;
    response.writeHeader(contentType, head);
    response.end(body);
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('the bare server cannot listen');
    process.send?.({ port: us_socket_local_port(socket) });
  });
process.on('disconnect', () => process.exit(0));
