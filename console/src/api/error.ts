// SPDX-License-Identifier: Apache-2.0
// What came instead of the data.

/** Statuses of a node that cannot now, or of a load balancer that finds none. */
const PASSING = [502, 503, 504];
/** The first request with the same key has not ended; it has, with some effect, but its reply is lost. */
const KEY_BUSY = { status: 409, code: 90103 },
  KEY_LOST = { status: 409, code: 90108 };

export class ApiError extends Error {
  /** Of a change: it may have been done. */
  unsettled = false;

  constructor(
    readonly status: number, // 0: no answer
    readonly code: number, // 0: not of our server
    message: string,
    readonly traceId: string,
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }

  /** Our server did not answer at all. */
  get isAway() {
    return this.status === 0 || (this.code === 0 && PASSING.includes(this.status));
  }

  /** It answered that it cannot now. */
  get isBusy() {
    return this.code !== 0 && PASSING.includes(this.status);
  }

  get isKeyBusy() {
    return this.status === KEY_BUSY.status && this.code === KEY_BUSY.code;
  }

  get isKeyLost() {
    return this.status === KEY_LOST.status && this.code === KEY_LOST.code;
  }
}
