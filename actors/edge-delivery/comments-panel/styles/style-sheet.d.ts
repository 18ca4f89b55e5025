/** A style sheet that a script brings along: the site's build gives its text. */
declare module '*.css' {
  const text: string;
  export default text;
}
