/**
 * Finds the stream key in what a broadcaster typed: the app of an RTMP `connect` and the name of a `publish`.
 *
 * The URL should be `rtmp://HOST/live/KEY`, with the app `live` and the name `KEY`. But encoders split a URL at different
 * slashes, and people paste. So whatever can mean one thing only is taken. For the rest, and for a key that turns out to be
 * unknown, there is advice that says what to change. No advice repeats what was typed: it may be a key, and advice goes to
 * logs.
 */

export interface PublishUrl {
  /** Empty when there is none. */
  readonly streamKey: string;
  /** The query of the application and of the stream name together; the name's values win. */
  readonly query: Readonly<Record<string, string>>;
  /** To be said when the key is missing or unknown: what looks wrong, and what to type. */
  readonly advice?: string;
}

const usualApp = 'live';
const maxQueryParts = 16;
const rightWay = 'the server is rtmp://HOST/live, and the stream key is the key alone';

export function readPublishUrl(app: string, name: string): PublishUrl {
  const [appPath, appQuery] = splitQuery(unquoted(app));
  const [namePath, nameQuery] = splitQuery(unquoted(name));
  const parts = [...new URLSearchParams(appQuery), ...new URLSearchParams(nameQuery)].slice(0, maxQueryParts);
  const query = Object.fromEntries(parts.map(([key, value]) => [key.trim(), value.trim()]));
  return { ...keyIn(segments(appPath), segments(namePath)), query };
}

type Found = Omit<PublishUrl, 'query'>;

function keyIn(app: readonly string[], name: readonly string[]): Found {
  const [first, ...more] = name[0] === usualApp ? name.slice(1) : name;
  if (first === undefined) return keyInApp(app);
  if (more.length > 0) return { streamKey: '', advice: `the stream key has a slash in it: ${rightWay}` };
  if (first === 'STREAM_KEY')
    return { streamKey: first, advice: `STREAM_KEY stands for your own key: ${rightWay}` };
  if (app.length === 0 || app[0] === usualApp) return { streamKey: first };
  return { streamKey: first, advice: `the application of the URL is not "${usualApp}": ${rightWay}` };
}

/** Nothing was typed for a key: the server's field may hold the whole URL, or the URL lacks its application. */
function keyInApp(app: readonly string[]): Found {
  const [first, second, ...more] = app;
  if (first === undefined || (first === usualApp && second === undefined)) return { streamKey: '' };
  if (first === usualApp && second !== undefined && more.length === 0)
    return {
      streamKey: second,
      advice: `the stream key is empty, and the last part of the server was taken for it: ${rightWay}`,
    };
  if (first !== usualApp && second === undefined)
    return {
      streamKey: first,
      advice: `the URL has no "/${usualApp}/" before the stream key, or no key: ${rightWay}`,
    };
  return { streamKey: '', advice: `no stream key was given, and the server's URL is too long: ${rightWay}` };
}

/** Percent-decoded, without blanks and empty ones, without `rtmp://HOST` where a whole URL was pasted. */
function segments(path: string): readonly string[] {
  const pasted = /^\s*(?:%20)*rtmps?:\/\/[^/]*(.*)$/is.exec(path);
  return (pasted?.[1] ?? path)
    .split(/\/|%2f/i)
    .map((segment) => unquoted(decoded(segment)))
    .filter((segment) => segment !== '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Blanks of any kind around it, and quotation marks or angle brackets, go. */
function unquoted(text: string): string {
  return text.replace(/^[\s\u200b\ufeff"'<`]+/u, '').replace(/[\s\u200b\ufeff"'>`]+$/u, '');
}

function splitQuery(value: string): readonly [string, string] {
  const at = value.indexOf('?');
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
}
