import type { Launch, Site } from './site.ts'

/** HAProxy with one thread, connections to the backend shared and kept. */
export function launchHaproxy(site: Site): Launch {
  const { dir, port, tlsPort, backendPort, webSocketPort, pemFile, accessLog } = site
  const config = `
global
  nbthread 1
  maxconn 8000
  log stdout len 2048 format raw local0 info
defaults
  mode http
  ${accessLog ? 'log global\n  option httplog' : 'no log'}
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  timeout tunnel 1h
  http-reuse always
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  bind 127.0.0.1:${tlsPort} ssl crt ${pemFile} alpn http/1.1 backlog 4096
  unique-id-format %[uuid()]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Request-Id %[unique-id]
  http-request set-header Via "1.1 haproxy"
  http-response set-header Via "1.1 haproxy"
  use_backend web_socket if { path_beg /ws }
  default_backend json
backend json
  http-request set-header Host 127.0.0.1:${backendPort}
  server one 127.0.0.1:${backendPort} pool-max-conn 1024
backend web_socket
  server one 127.0.0.1:${webSocketPort}
`
  return {
    command: 'haproxy',
    args: ['-db', '-f', `${dir}/haproxy.cfg`],
    files: { 'haproxy.cfg': config },
    ...(accessLog && { output: 'access.log' }),
  }
}
