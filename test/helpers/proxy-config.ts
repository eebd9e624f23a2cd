/** A configuration with two workers on any free port of loopback. */
export function proxyConfig(routes: readonly object[], server: object = {}, more: object = {}): object {
  return { server: { host: '127.0.0.1', port: 0, workers: 2, reverse_proxy: routes, ...server }, ...more }
}

/** A route on a backend that listens on loopback. */
export function routeTo(path: string, backend: { readonly port: number }, more: object = {}): object {
  return { path, host: '127.0.0.1', port: backend.port, ...more }
}
