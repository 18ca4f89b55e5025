/** Decides under which URLs others reach a node: checks the public URLs that are set, and fills in those that are not. */

/** The address of a listener and, where the operator set it, the URL under which others reach it. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
}

/** A host as it stands in a URL: an IPv6 address in brackets. */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Nobody can connect to a wildcard address. On this host the loopback address stands for it. */
const loopbackOf: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function addressOf({ host, port }: Listener): string {
  return `${urlHost(loopbackOf[host] ?? host)}:${port}`;
}

/** The URL under which viewers and members reach the node, without a trailing slash. */
export function httpUrlOf(listener: Listener): string {
  return listener.publicUrl ?? `http://${addressOf(listener)}`;
}

/** The URL under which encoders reach the node. The key follows behind a slash. */
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
  form: 'only scheme, host and port, as https://HOST or http://HOST:8080',
  path: /^\/?$/,
};
const rtmp: Kind = {
  schemes: ['rtmp:', 'rtmps:'],
  form: 'only scheme, host, port and application, as rtmp://HOST:1935/live',
  path: /^\/[\w.-]+\/?$/,
};

/** Says what is wrong with a public URL for viewers. Undefined when it can be used. */
export const httpUrlFault = (text: string): string | undefined => faultOf(text, http);
/** Says what is wrong with a public URL for encoders. Undefined when it can be used. */
export const rtmpUrlFault = (text: string): string | undefined => faultOf(text, rtmp);

function faultOf(text: string, { schemes, form, path }: Kind): string | undefined {
  const url = URL.parse(text);
  const isWhole = schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}//`)) && !/\s/.test(text);
  if (url === null || !isWhole) return `not a URL of ${schemes.join('// or ')}//: ${form}`;
  if (url.hostname === '') return `it names no host: ${form}`;
  if (url.username !== '' || url.password !== '')
    return `everybody would see the user and password in it: ${form}`;
  if (text.includes('?') || text.includes('#')) return `it ends in a query or a fragment: ${form}`;
  if (!path.test(url.pathname))
    return `its path is ${url.pathname === '' ? 'missing' : 'not taken'}: ${form}`;
  if (url.hostname in wildcards) return `${url.hostname} is an address that nobody can connect to: ${form}`;
  return undefined;
}

const wildcards: Readonly<Record<string, true>> = { '0.0.0.0': true, '[::]': true };

/** The URL as others are told it: without a trailing slash. @param url one without a fault */
export function asTold(url: string): string {
  return url.replace(/\/+$/, '');
}

/** Says what is wrong with the place of accounts' keys: a file, or a URL. Keys that come unprotected over a network could be anybody's. */
export function keysPlaceFault(text: string): string | undefined {
  if (!isUrl(text)) return undefined;
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return `not a URL: ${keysForm}`;
  if (url.username !== '' || url.password !== '') return `a user and password are not sent: ${keysForm}`;
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isThisHost(url))) return undefined;
  return `anybody on the way could change the keys: ${keysForm}`;
}

/** Says whether the place of keys is a URL, or else a file. */
export function isUrl(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place);
}

const keysForm = 'the path of a file, https://HOST/PATH, or http:// on this host';
const isThisHost = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
