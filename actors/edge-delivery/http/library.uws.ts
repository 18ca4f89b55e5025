/**
 * uWebSockets.js, loaded with our bound of a request's headers: the library reads it from the environment, once, as it
 * is loaded. An operator's own value stays.
 */

/** The library's own 4 kB are less than the cookies of a site may be; nginx takes 32 kB as well. */
const headerBytes = 32_768;

process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ||= String(headerBytes);

export const { App, us_listen_socket_close, us_socket_local_port } = await import('uWebSockets.js');
