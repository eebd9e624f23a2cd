import type { Launch, Site } from './site.ts'

/** Bytes of the small answer, and of the large one. */
export const JSON_BYTES = 120
export const LARGE_BYTES = 1_048_576

const json = `{"id":1,"name":"bench","text":"`.padEnd(JSON_BYTES - 2, 'x').concat('"}')

interface BackendSite {
  readonly dir: string
  readonly ports: readonly number[]
}

/**
 * The backend of every contender: one worker, `/` a JSON text of 120 bytes, `/large` 1 MB from a file, `/upload` an
 * answer once the whole body was read.
 */
export function launchBackend({ dir, ports }: BackendSite): Launch {
  // `return` answers before it has read the body. Handed on to a second server, the body is read whole first.
  const http = `
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')}
    default_type application/json;
    location = / { return 200 '${json}'; }
    location = /large { alias ${dir}/large; }
    location = /upload {
      proxy_pass http://sink;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
    }
    location / { return 200 '${json}'; }
  }
  upstream sink { server unix:${dir}/sink.sock; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen unix:${dir}/sink.sock;
    default_type application/json;
    location / { return 200 '{"ok":true}'; }
  }`
  return launchNginx(dir, 'access_log off;', http, { large: 'x'.repeat(LARGE_BYTES) })
}

/** nginx as a proxy with what pyserve-ts does for each request: the same fields, keep-alive to the backend. */
export function launchNginxProxy(site: Site): Launch {
  const { dir, port, tlsPort, backendPort, webSocketPort, certFile, keyFile, accessLog } = site
  const log = accessLog ? `access_log ${dir}/access.log combined buffer=64k flush=1s;` : 'access_log off;'
  // Without a temporary file a large response is held back instead of being written to disk.
  const http = `
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 1024; keepalive_requests 1000000000; }
  upstream web_socket { server 127.0.0.1:${webSocketPort}; }
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${tlsPort} ssl backlog=4096;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    add_header Via "1.1 nginx";
    proxy_http_version 1.1;
    proxy_max_temp_file_size 0;
    proxy_set_header Host $proxy_host;
    proxy_set_header Connection $connection_field;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Request-Id $request_id;
    proxy_set_header Via "1.1 nginx";
    location / { proxy_pass http://backend; }
    location /ws { proxy_pass http://web_socket; }
  }`
  return launchNginx(dir, log, http, {})
}

function launchNginx(dir: string, log: string, http: string, files: Readonly<Record<string, string>>): Launch {
  const config = `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${dir}/nginx.pid;
error_log stderr warn;
events { worker_connections 16384; }
http {
  ${log}
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  ${http}
}
`
  const args = ['-p', dir, '-e', 'stderr', '-c', `${dir}/nginx.conf`]
  return { command: 'nginx', args, files: { ...files, 'nginx.conf': config } }
}
