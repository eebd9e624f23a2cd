interface CommonLoad {
  readonly title: string
  readonly connections: number
  /** Measured with the access log on. */
  readonly accessLog?: true
}

/** With wrk. */
export interface WrkLoad extends CommonLoad {
  readonly tool: 'wrk'
  readonly path: string
  /** Body of a POST; a GET by default. */
  readonly postBytes?: number
  /** A connection for each request. */
  readonly close?: true
}

/** With h2load over TLS. */
export interface H2loadLoad extends CommonLoad {
  readonly tool: 'h2load'
  readonly path: string
}

/** With clients of `ws`; a request is a message that came back. */
export interface WebSocketLoad extends CommonLoad {
  readonly tool: 'ws'
  readonly messageBytes: number
}

export type Load = WrkLoad | H2loadLoad | WebSocketLoad

export type LoadName = keyof typeof LOADS

/** Loads of one row are measured in turns within each round: what is compared with each other stands together. */
export const LOAD_GROUPS: readonly (readonly LoadName[])[] = [
  ['get-64', 'get-64-log'],
  ['get-1'],
  ['get-512'],
  ['close'],
  ['post-16k'],
  ['get-1m'],
  ['https'],
  ['websocket'],
]

export const LOADS = {
  'get-1': { tool: 'wrk', title: 'GET, 1 connection', path: '/', connections: 1 },
  'get-64': { tool: 'wrk', title: 'GET, 64 connections', path: '/', connections: 64 },
  'get-64-log': { tool: 'wrk', title: 'GET, 64, access log', path: '/', connections: 64, accessLog: true },
  'get-512': { tool: 'wrk', title: 'GET, 512 connections', path: '/', connections: 512 },
  close: { tool: 'wrk', title: 'GET, a connection each', path: '/', connections: 64, close: true },
  'post-16k': { tool: 'wrk', title: 'POST 16 KB', path: '/upload', connections: 64, postBytes: 16_384 },
  'get-1m': { tool: 'wrk', title: 'GET 1 MB', path: '/large', connections: 16 },
  https: { tool: 'h2load', title: 'HTTPS GET, 64', path: '/', connections: 64 },
  websocket: { tool: 'ws', title: 'WebSocket echo, 64', connections: 64, messageBytes: 128 },
} as const satisfies Record<string, Load>
