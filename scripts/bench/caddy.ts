import type { Launch, Site } from './site.ts'

/** Caddy on one thread of Go code, as many kept connections to the backend as the others have. */
export function launchCaddy(site: Site): Launch {
  const { dir, port, tlsPort, backendPort, webSocketPort, certFile, keyFile, accessLog } = site
  const log = accessLog ? `log {\n    output file ${dir}/access.log\n  }` : ''
  const forward = (toPort: number) => `reverse_proxy 127.0.0.1:${toPort} {
    header_up Host {upstream_hostport}
    header_up X-Forwarded-Port {http.request.port}
    header_up X-Real-IP {remote_host}
    header_up X-Request-Id {http.request.uuid}
    header_up Via "1.1 caddy"
    header_down Via "1.1 caddy"
    transport http {
      versions 1.1
      keepalive 75s
      keepalive_idle_conns 1024
      keepalive_idle_conns_per_host 1024
      compression off
    }
  }`
  const handlers = `bind 127.0.0.1
  ${log}
  handle /ws* {
    ${forward(webSocketPort)}
  }
  handle {
    ${forward(backendPort)}
  }`
  const config = `{
  admin off
  auto_https off
  default_sni localhost
  servers {
    protocols h1
  }
  log {
    level ERROR
  }
}
http://:${port} {
  ${handlers}
}
https://:${tlsPort} {
  tls ${certFile} ${keyFile}
  ${handlers}
}
`
  return {
    command: 'caddy',
    args: ['run', '--config', `${dir}/Caddyfile`, '--adapter', 'caddyfile'],
    env: { GOMAXPROCS: '1', HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir },
    files: { Caddyfile: config },
  }
}
