/** The path and the query of a request: of whatever stands there, where `new URL` throws at `//`. */
export function urlOf(text = '/'): { path: string; query: URLSearchParams } {
  const [path = '/', ...rest] = text.split('?')
  return { path, query: new URLSearchParams(rest.join('?')) }
}
