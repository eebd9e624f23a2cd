/** Milliseconds; Node runs a timer that is set for longer at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1
