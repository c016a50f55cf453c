// SPDX-License-Identifier: Apache-2.0
// Sizes and shares as people read them.
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** 1536 -> "1.5 KB"; powers of 1024, as the kernel counts. */
export function bytes(n: number | undefined): string {
  if (n === undefined) return '-';
  let i = 0;
  while (n >= 1024 && i < UNITS.length - 1) {
    n /= 1024;
    i++;
  }
  return `${rounded(n)} ${UNITS[i] ?? ''}`;
}

/** At most one digit after the point. */
export const rounded = (n: number | undefined) => (n === undefined ? '-' : String(Math.round(n * 10) / 10));

/** In percent, 0 to 100; undefined when one of them is not known. */
export function share(used: number | undefined, total: number | undefined): number | undefined {
  if (used === undefined || total === undefined || total <= 0) return undefined;
  return Math.min(100, Math.round((used / total) * 1000) / 10);
}
