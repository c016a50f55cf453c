// SPDX-License-Identifier: Apache-2.0
// Pages are loaded when somebody goes there, and the node that should give one may die at that moment.
import { ApiError } from '../api/error';
import { pause, wait } from '../api/repeat';

/** Loads a part of the console, again while no server gives it. */
export async function patient<T>(load: () => Promise<T>): Promise<T> {
  const began = performance.now();
  for (let n = 0; ; n++) {
    try {
      return await load();
    } catch (error) {
      const ms = pause(new ApiError(0, 0, '', ''), n, performance.now() - began);
      if (ms === undefined) throw error;
      await wait(ms);
    }
  }
}
