/** What a node says of where it is reached: which public URLs can be used, and what stands in for one that is not set. */

/** A listener's address and, where the operator says so, the URL under which others reach it. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
}

/** A host as a URL has it: an IPv6 address in brackets. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** A wildcard is no address to connect to: on this host the loopback is. */
const loopbackOf: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function addressOf({ host, port }: Listener): string {
  return `${urlHost(loopbackOf[host] ?? host)}:${port}`;
}

/** Under which viewers and members reach the node, without a trailing slash. */
export function httpUrlOf(listener: Listener): string {
  return listener.publicUrl ?? `http://${addressOf(listener)}`;
}

/** Under which encoders reach the node: the key follows behind a slash. */
export function rtmpUrlOf(listener: Listener): string {
  return listener.publicUrl ?? `rtmp://${addressOf(listener)}/live`;
}

interface Kind {
  readonly schemes: readonly string[];
  /** One sentence that holds an example. */
  readonly form: string;
  readonly path: RegExp;
}

const http: Kind = {
  schemes: ['http:', 'https:'],
  form: 'scheme, host and port alone, as https://HOST or http://HOST:8080',
  path: /^\/?$/,
};
const rtmp: Kind = {
  schemes: ['rtmp:', 'rtmps:'],
  form: 'scheme, host, port and application, as rtmp://HOST:1935/live',
  path: /^\/[\w.-]+\/?$/,
};

/** What is wrong with a public URL for viewers, in words; undefined when it can be used. */
export const httpUrlFault = (text: string): string | undefined => faultOf(text, http);
/** The same, for encoders. */
export const rtmpUrlFault = (text: string): string | undefined => faultOf(text, rtmp);

function faultOf(text: string, { schemes, form, path }: Kind): string | undefined {
  const url = URL.parse(text);
  const isWhole = schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}//`)) && !/\s/.test(text);
  if (url === null || !isWhole) return `not a URL of ${schemes.join('// or ')}//: ${form}`;
  if (url.hostname === '') return `it names no host: ${form}`;
  if (url.username !== '' || url.password !== '') return `everybody would see its user and password: ${form}`;
  if (text.includes('?') || text.includes('#')) return `it ends in a query or a fragment: ${form}`;
  if (!path.test(url.pathname))
    return `its path is ${url.pathname === '' ? 'missing' : 'not taken'}: ${form}`;
  if (url.hostname in wildcards) return `${url.hostname} is no address that anybody can connect to: ${form}`;
  return undefined;
}

const wildcards: Readonly<Record<string, true>> = { '0.0.0.0': true, '[::]': true };

/** As it is told to others: without a slash at its end. @param url without fault */
export function asTold(url: string): string {
  return url.replace(/\/+$/, '');
}
