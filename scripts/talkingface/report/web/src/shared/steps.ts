/** Steps of scales. */

/** A step of 1, 2 or 5 times a power of ten, so that not more than `most` of them fill a width. */
export function niceStep(width: number, most: number): number {
  if (!(width > 0)) return 1;
  const least = width / most;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((step) => step * power >= least * (1 - 1e-9)) ?? 10);
}
