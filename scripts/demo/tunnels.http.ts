/**
 * An HTTP proxy through which the edges of a region reach those of others: `NODE_USE_ENV_PROXY` makes the nodes ask it for a tunnel (RFC 9110,
 * 9.3.6). A tunnel passes the link to the region of that edge, so a cut stops it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import { openWay, type Link } from './link-proxy.system.ts';

const host = '127.0.0.1';
const mostConnections = 512;

export interface Tunnels extends AsyncDisposable {
  readonly url: string;
}

/** @param linkOf the link to the edge on that port of this machine; undefined for what is no edge of another region, which nobody cuts */
export async function openTunnels(linkOf: (port: number) => Link | undefined): Promise<Tunnels> {
  const way = openWay();
  const server = createServer((_, reply) => void reply.writeHead(405, { allow: 'CONNECT' }).end());
  server.maxConnections = mostConnections;
  server.on('connect', ({ url = '' }, near, head) => {
    const to = placeOf(url);
    if (!(near instanceof Socket) || to === undefined) return void near.destroy();
    near.on('error', () => {});
    // A link that is cut says nothing: the tunnel is there, and what is sent through it waits.
    near.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    near.unshift(head);
    const link = to.host === host ? linkOf(to.port) : undefined;
    (link ?? way).carry(near, to);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      await way[Symbol.asyncDispose]();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @param authority `HOST:PORT` */
function placeOf(authority: string): { readonly host: string; readonly port: number } | undefined {
  const url = URL.parse(`tcp://${authority}`);
  return url === null || url.port === '' ? undefined : { host: url.hostname, port: Number(url.port) };
}
