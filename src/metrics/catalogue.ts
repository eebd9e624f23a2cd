/** One family of the metrics: what a scrape says of it, and README. */
export interface MetricTraits {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

/** Every metric, in the order of the scrape. `route` is '' for exchanges that met no route. */
export const METRICS = {
  pyserve_requests_total: {
    type: 'counter',
    labels: ['route', 'status_class'],
    help: 'Exchanges that ended, refused ones and tunnels too: as many as access-log lines.',
  },
  pyserve_exchange_failures_total: {
    type: 'counter',
    labels: ['route', 'reason'],
    help: 'Exchanges that failed, by the reason in the access log.',
  },
  pyserve_request_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'From the request head to the end of the response; tunnels are left out.',
  },
  pyserve_first_byte_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'From the request head to the head of the response of the backend.',
  },
  pyserve_connect_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'What a new connection to the backend took; kept ones are left out.',
  },
  pyserve_request_bytes_total: { type: 'counter', labels: ['route'], help: 'Body bytes from clients.' },
  pyserve_response_bytes_total: { type: 'counter', labels: ['route'], help: 'Body bytes to clients.' },
  pyserve_tunnels_opened_total: { type: 'counter', labels: ['route'], help: 'Upgrades that were accepted.' },
  pyserve_backend_requests_total: { type: 'counter', labels: ['backend'], help: 'Attempts to send a request to it.' },
  pyserve_backend_failures_total: {
    type: 'counter',
    labels: ['backend', 'reason'],
    help: 'Attempts that failed through the fault of the backend.',
  },
  pyserve_backend_up: {
    type: 'gauge',
    labels: ['backend'],
    help: 'Whether it is sent requests: 1, or 0 where it is down, drained, ejected or has an open circuit.',
  },
  pyserve_backend_state: {
    type: 'gauge',
    labels: ['backend', 'state'],
    help: '1 for the state that it is in, as `backends` tells it, 0 for the others.',
  },
  pyserve_backend_in_flight: { type: 'gauge', labels: ['backend'], help: 'Requests under way to it.' },
  pyserve_backend_connections: {
    type: 'gauge',
    labels: ['backend', 'state'],
    help: 'Connections to it: busy and idle ones of the pool, and tunnels.',
  },
  pyserve_in_flight: { type: 'gauge', labels: [], help: 'Exchanges under way, tunnels too.' },
  pyserve_tunnels: { type: 'gauge', labels: [], help: 'Tunnels that are open.' },
  pyserve_connections: { type: 'gauge', labels: [], help: 'Connections of clients.' },
  pyserve_workers: { type: 'gauge', labels: ['state'], help: 'Worker processes.' },
  pyserve_worker_restarts_total: { type: 'counter', labels: [], help: 'Workers that ended without being asked to.' },
  pyserve_event_loop_lag_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Longest time that something waited for the event loop in the last 15 seconds.',
  },
  pyserve_resident_memory_bytes: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Memory of the worker, or of the primary.',
  },
  pyserve_reloads_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Changes of the configuration: success, failure, or unchanged where there was nothing to do.',
  },
  pyserve_config_version: { type: 'gauge', labels: [], help: 'Version of the configuration that is served.' },
  pyserve_config_last_reload_successful: {
    type: 'gauge',
    labels: [],
    help: 'Whether the last change of the configuration was taken: 1 or 0.',
  },
  pyserve_config_last_reload_success_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When a configuration was last taken.',
  },
  pyserve_start_time_seconds: { type: 'gauge', labels: [], help: 'When the daemon was started.' },
  pyserve_build_info: { type: 'gauge', labels: ['version', 'node'], help: 'Always 1.' },
} as const satisfies Record<`pyserve_${string}`, MetricTraits>

export type MetricName = keyof typeof METRICS
